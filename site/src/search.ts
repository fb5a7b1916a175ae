/** The search box: a list of links below it, which the arrow keys move through. */
import entriesUrl from "../../.cache/search/entries.json?url";
import { type Entry, type Found, indexOf } from "./search-index.js";

const SNIPPET_LENGTH = 150;

/** One index for all boxes of a page, loaded when a box first receives the focus. */
let loading: Promise<(query: string) => Found[]> | undefined;

/** The folder of the site: the file with the entries is in its folder `assets`. */
const site = new URL("..", entriesUrl);

function prepare(): Promise<(query: string) => Found[]> {
  loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<(query: string) => Found[]> {
  const response = await fetch(entriesUrl);
  if (!response.ok) throw new Error(`The response for ${entriesUrl} has the status ${response.status}.`);
  return indexOf((await response.json()) as Entry[]);
}

export function startSearch(form: HTMLFormElement): void {
  const input = child<HTMLInputElement>(form, "input");
  const results = child(form, ".search-results");
  const status = child(form, "[role=status]");

  const show = async () => {
    const query = input.value.trim();
    if (!query) return close();
    let found: Found[] = [];
    let message = "Nothing was found.";
    try {
      found = (await prepare())(query);
      if (found.length > 0) message = found.length === 1 ? "One result" : `${found.length} results`;
    } catch {
      message = "The search could not be loaded. Try again.";
    }
    // The visitor has changed the query in the meantime.
    if (input.value.trim() !== query) return;
    const list = document.createElement("ul");
    list.append(...found.map(item));
    const nothing = document.createElement("p");
    nothing.textContent = message;
    results.replaceChildren(found.length > 0 ? list : nothing);
    results.hidden = false;
    status.textContent = message;
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

/** Focuses the search when `/` is pressed outside a text field. */
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
  if (!found) throw new Error(`The search form has no element ${selector}.`);
  return found;
}

function item({ url, page, title, under, text, terms }: Found): HTMLLIElement {
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

/** Matches any of the terms. They consist of letters, digits and underscores, so that they need no escaping. */
const anyOf = (terms: string[]): RegExp => new RegExp(`(${terms.join("|")})`, "i");

/** Returns the part of a text that has the first of the terms. */
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
