/** The search box: a list of links below it, which the arrow keys walk through. */
import { type Entry, type Found, indexOf } from "./search-index.js";

const SNIPPET_LENGTH = 150;

/** One index for all boxes of a page, loaded when somebody first wants to search. */
let loading: Promise<(query: string) => Found[]> | undefined;

async function load(url: URL): Promise<(query: string) => Found[]> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return indexOf((await response.json()) as Entry[]);
}

export function startSearch(form: HTMLFormElement): void {
  const input = child<HTMLInputElement>(form, "input");
  const results = child(form, ".search-results");
  const status = child(form, "[role=status]");
  const records = new URL(form.dataset.records ?? "", location.href);
  const site = new URL("..", records);

  const prepare = () => {
    loading ??= load(records).catch((error) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const show = async () => {
    const query = input.value.trim();
    if (!query) return close();
    let found: Found[] = [];
    let told = "Nothing was found.";
    try {
      found = (await prepare())(query);
      if (found.length > 0) told = found.length === 1 ? "One result" : `${found.length} results`;
    } catch {
      told = "The search could not be loaded. Try again.";
    }
    // Somebody has typed on.
    if (input.value.trim() !== query) return;
    const list = document.createElement("ul");
    list.append(...found.map((entry) => item(entry, site)));
    const nothing = document.createElement("p");
    nothing.textContent = told;
    results.replaceChildren(found.length > 0 ? list : nothing);
    results.hidden = false;
    status.textContent = told;
  };
  const close = () => {
    results.hidden = true;
    status.textContent = "";
  };

  input.addEventListener("focus", () => void prepare().catch(() => {}), { once: true });
  input.addEventListener("input", () => void show());
  input.addEventListener("focus", () => {
    if (results.hidden && input.value) void show();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    results.querySelector("a")?.click();
  });
  form.addEventListener("click", (event) => {
    if ((event.target as Element).closest("a")) close();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (!form.contains(target as Node)) close();
  });
  form.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !form.contains(relatedTarget as Node)) close();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !results.hidden) {
      event.preventDefault();
      input.focus();
      close();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || results.hidden) return;
    event.preventDefault();
    const stops = [input, ...results.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement as HTMLInputElement);
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)]?.focus();
  });
  if (!form.classList.contains("symptom-search")) focusBySlash(input);
}

/** `/` leads to the search, as long as nobody is typing. */
function focusBySlash(input: HTMLInputElement): void {
  document.addEventListener("keydown", (event) => {
    const isTyping = (event.target as Element).closest("input, textarea, select");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
    event.preventDefault();
    input.focus();
  });
}

function child<E extends HTMLElement = HTMLElement>(parent: Element, selector: string): E {
  const found = parent.querySelector<E>(selector);
  if (!found) throw new Error(`The search lacks ${selector}`);
  return found;
}

function item({ url, page, title, under, text, terms }: Found, site: URL): HTMLLIElement {
  const link = document.createElement("a");
  link.href = new URL(url, site).href;
  const part = (className: string, content: (Node | string)[]) => {
    const span = document.createElement("span");
    span.className = className;
    span.append(...content);
    link.append(span);
  };
  part("search-title", marked(title, terms));
  const where = [page, ...under].filter((name) => name !== title);
  if (where.length > 0) part("search-where", [where.join(" › ")]);
  if (text) part("search-text", marked(snippet(text, terms), terms));
  const entry = document.createElement("li");
  entry.append(link);
  return entry;
}

/** Terms are letters, digits and underscores: nothing that a pattern would take for its own. */
const anyOf = (terms: string[]): RegExp => new RegExp(`(${terms.join("|")})`, "i");

/** The piece of a text where the first of the words is. */
function snippet(text: string, terms: string[]): string {
  const at = Math.max(text.search(anyOf(terms)), 0);
  const from = at < SNIPPET_LENGTH / 2 ? 0 : text.lastIndexOf(" ", at - SNIPPET_LENGTH / 3) + 1;
  const piece = text.slice(from, from + SNIPPET_LENGTH);
  return `${from > 0 ? "… " : ""}${piece}${from + SNIPPET_LENGTH < text.length ? " …" : ""}`;
}

function marked(text: string, terms: string[]): (Node | string)[] {
  return text.split(anyOf(terms)).map((piece, index) => {
    if (index % 2 === 0) return piece;
    const mark = document.createElement("mark");
    mark.textContent = piece;
    return mark;
  });
}
