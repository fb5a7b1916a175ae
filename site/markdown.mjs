/** Converts Markdown to HTML with the heading ids of GitHub, and lists the entries of the search. */
import GithubSlugger from "github-slugger";
import hljs from "highlight.js/lib/common";
import MarkdownIt from "markdown-it";

const markdown = new MarkdownIt({ html: true });

markdown.renderer.rules.fence = (tokens, index) => {
  const { content, info } = tokens[index];
  const code = hljs.getLanguage(info)
    ? hljs.highlight(content, { language: info }).value
    : markdown.utils.escapeHtml(content);
  return `<div class="code-block"><pre data-language="${markdown.utils.escapeHtml(info)}"><code>${code}</code></pre></div>\n`;
};
markdown.renderer.rules.table_open = (tokens, index) =>
  `<div class="table-box ${tokens[index].meta.kind}"><table>\n`;
markdown.renderer.rules.table_close = () => "</table></div>\n";
// The comments mark tables that are generated.
markdown.renderer.rules.html_block = (tokens, index) =>
  tokens[index].content.replace(/<!--[\s\S]*?-->\n?/g, "");

/**
 * Returns a page: `{ title, html, headings, ids, searchEntries }`. `resolve` maps each address of the text to the address
 * to write. A search entry is `{ id, title, under, text }`: one for each section, and one for each row of a table without
 * numeric columns.
 */
export function render(text, resolve) {
  const tokens = markdown.parse(text, {});
  const slugger = new GithubSlugger();
  const headings = tokens.flatMap((token, index) => {
    if (token.type !== "heading_open") return [];
    const title = textOf(tokens[index + 1]);
    const id = slugger.slug(title);
    token.attrSet("id", id);
    if (token.tag !== "h1") appendHtml(tokens[index + 1], permalink(id, title));
    return [{ level: Number(token.tag.slice(1)), title, id }];
  });
  for (const { children } of tokens) {
    for (const child of children ?? []) {
      if (child.type === "link_open") child.attrSet("href", resolve(child.attrGet("href")));
      if (child.type === "image") child.attrSet("src", resolve(child.attrGet("src")));
    }
  }
  const tables = tablesOf(tokens);
  const rows = tables.flatMap((table) => nameRows(table, slugger));
  const searchEntries = searchEntriesOf(tokens, headings, rows);
  const html = markdown.renderer.render(
    tokens.filter((token) => !token.meta?.isOmitted),
    markdown.options,
    {},
  );
  const ids = new Set([...headings, ...rows].map(({ id }) => id));
  return { title: headings[0].title, html, headings, ids, searchEntries };
}

/** Returns the visible text of an inline token. */
function textOf({ children }) {
  const readers = {
    text: (child) => child.content,
    code_inline: (child) => child.content,
    softbreak: () => " ",
  };
  return (children ?? [])
    .map((child) => readers[child.type]?.(child) ?? "")
    .join("")
    .trim();
}

function appendHtml(inline, html) {
  const token = new inline.constructor("html_inline", "", 0);
  token.content = html;
  inline.children.push(token);
}

const permalink = (id, title) =>
  ` <a class="permalink" href="#${id}" aria-label="Link to ${markdown.utils.escapeHtml(title)}">#</a>`;

/**
 * Returns the tables as `{ open, rows, isNumeric }`, a row as `{ open, cells, isHead }`. Omits empty table heads, and
 * labels the cells in the middle of a row for narrow pages, which show the cells one below the other.
 */
function tablesOf(tokens) {
  const tables = [];
  let isHead = false;
  tokens.forEach((token, index) => {
    if (token.type === "table_open") tables.push({ open: token, rows: [], isNumeric: false });
    if (token.type === "thead_open") isHead = true;
    if (token.type === "tbody_open") isHead = false;
    const table = tables.at(-1);
    if (token.type === "tr_open") table.rows.push({ open: token, cells: [], isHead });
    if (!/^t[hd]_open$/.test(token.type)) return;
    table.rows.at(-1).cells.push({ open: token, close: tokens[index + 2], inline: tokens[index + 1] });
    if (!token.attrGet("style")) return;
    // markdown-it sets a style only for aligned columns, which have numbers in these documents.
    token.attrs = [["class", "number"]];
    table.isNumeric = true;
  });
  for (const { open, rows, isNumeric } of tables) {
    open.meta = { kind: isNumeric ? "numeric" : "list" };
    const names = rows[0].cells.map(({ inline }) => textOf(inline));
    for (const { cells } of rows.slice(1)) {
      for (const [column, { open, inline }] of cells.entries()) {
        const isInside = column > 0 && column < cells.length - 1;
        if (isInside && names[column] && textOf(inline)) open.attrSet("data-label", names[column]);
      }
    }
    const empty = rows[0].cells.filter(({ inline }) => textOf(inline) === "");
    for (const { open, close } of empty) open.tag = close.tag = "td";
    for (const { open } of rows[0].cells) if (open.tag === "th") open.attrSet("scope", "col");
    if (empty.length === rows[0].cells.length) omit(tokens, tokens.indexOf(rows[0].open) - 1, "thead_close");
  }
  return tables;
}

function omit(tokens, from, lastType) {
  for (let index = from; ; index += 1) {
    tokens[index].meta = { isOmitted: true };
    if (tokens[index].type === lastType) return;
  }
}

/** Sets the id of each row: the one of an `<a id>` in the first cell, otherwise the slug of the text of that cell. */
function nameRows({ rows, isNumeric }, slugger) {
  if (isNumeric) return [];
  return rows
    .filter(({ isHead }) => !isHead)
    .map(({ open, cells: [first, ...others] }) => {
      const [anchor, end] = first.inline.children;
      const [, ownId] = /^<a id="([^"]+)">$/.exec(anchor?.content ?? "") ?? [];
      if (ownId && end?.content === "</a>") first.inline.children.splice(0, 2);
      const title = textOf(first.inline);
      // A text without letters, such as `*`, has no slug.
      const id = ownId ?? (slugger.slug(title) || slugger.slug("entry"));
      open.attrSet("id", id);
      const text = others
        .map(({ open, inline }) => [open.attrGet("data-label"), textOf(inline)].filter(Boolean).join(": "))
        .filter(Boolean)
        .join(" · ");
      return { id, title, text, open };
    });
}

function searchEntriesOf(tokens, headings, rows) {
  const entries = [];
  const path = [];
  let section;
  let depth = 0;
  const next = headings.values();
  tokens.forEach((token, index) => {
    if (token.type === "heading_open") {
      const { level, title, id } = next.next().value;
      path.length = Math.min(path.length, level - 1);
      section = { id: level === 1 ? "" : id, title, under: path.filter(Boolean).slice(1), text: "" };
      path[level - 1] = title;
      entries.push(section);
    }
    if (token.type === "table_open") depth += 1;
    if (token.type === "table_close") depth -= 1;
    const row = rows.find(({ open }) => open === token);
    if (row) {
      const { id, title, text } = row;
      entries.push({ id, title, under: path.filter(Boolean).slice(1), text });
    }
    if (token.type === "fence") section.text += ` ${token.content}`;
    const isProse = token.type === "inline" && depth === 0 && tokens[index - 1].type !== "heading_open";
    if (isProse) section.text += ` ${textOf(token)}`;
  });
  return entries.map((entry) => ({ ...entry, text: entry.text.replace(/\s+/g, " ").trim() }));
}
