/** Markdown to HTML, as GitHub would show it, and what the search finds in it. */
import GithubSlugger from "github-slugger";
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import MarkdownIt from "markdown-it";

const LANGUAGES = { bash, javascript, json, typescript, xml };
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);

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
// Comments are the marks of generated tables.
markdown.renderer.rules.html_block = (tokens, index) =>
  tokens[index].content.replace(/<!--[\s\S]*?-->\n?/g, "");

/**
 * A page: `{ title, html, headings, ids, records }`. `resolve` is given every address of the text and gives the one to
 * write. A record is what the search finds: `{ id, title, under, text }`; each section is one, and each row of a table
 * that is a list of things, not of figures.
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
  const records = recordsOf(tokens, headings, rows);
  const html = markdown.renderer.render(
    tokens.filter((token) => !token.meta?.isLeftOut),
    markdown.options,
    {},
  );
  const ids = new Set([...headings, ...rows].map(({ id }) => id));
  return { title: headings[0].title, html, headings, ids, records };
}

/** What one reads of an inline token. */
function textOf({ children }) {
  const read = {
    text: (child) => child.content,
    code_inline: (child) => child.content,
    softbreak: () => " ",
  };
  return (children ?? [])
    .map((child) => read[child.type]?.(child) ?? "")
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
 * The tables as `{ open, rows, isFigures }`, a row as `{ open, cells, isHead }`. Empty heads become what they are:
 * nothing. Cells in the middle learn what they are called, for narrow pages, which show them one below the other.
 */
function tablesOf(tokens) {
  const tables = [];
  let isHead = false;
  tokens.forEach((token, index) => {
    if (token.type === "table_open") tables.push({ open: token, rows: [], isFigures: false });
    if (token.type === "thead_open") isHead = true;
    if (token.type === "tbody_open") isHead = false;
    const table = tables.at(-1);
    if (token.type === "tr_open") table.rows.push({ open: token, cells: [], isHead });
    if (!/^t[hd]_open$/.test(token.type)) return;
    table.rows.at(-1).cells.push({ open: token, close: tokens[index + 2], inline: tokens[index + 1] });
    if (!token.attrGet("style")) return;
    // The only style there is: a column of numbers.
    token.attrs = [["class", "number"]];
    table.isFigures = true;
  });
  for (const { open, rows, isFigures } of tables) {
    open.meta = { kind: isFigures ? "figures" : "things" };
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
    if (empty.length === rows[0].cells.length)
      leaveOut(tokens, tokens.indexOf(rows[0].open) - 1, "thead_close");
  }
  return tables;
}

function leaveOut(tokens, from, lastType) {
  for (let index = from; ; index += 1) {
    tokens[index].meta = { isLeftOut: true };
    if (tokens[index].type === lastType) return;
  }
}

/** Gives every row of a list of things an id, after what its first cell says, or as the cell itself wants it. */
function nameRows({ rows, isFigures }, slugger) {
  if (isFigures) return [];
  return rows
    .filter(({ isHead }) => !isHead)
    .map(({ open, cells: [first, ...others] }) => {
      const [anchor, end] = first.inline.children;
      const [, wanted] = /^<a id="([^"]+)">$/.exec(anchor?.content ?? "") ?? [];
      if (wanted && end?.content === "</a>") first.inline.children.splice(0, 2);
      const title = textOf(first.inline);
      // A title of signs only, such as `*`, has no slug of its own.
      const id = wanted ?? (slugger.slug(title) || slugger.slug("entry"));
      open.attrSet("id", id);
      const text = others
        .map(({ open, inline }) => [open.attrGet("data-label"), textOf(inline)].filter(Boolean).join(": "))
        .filter(Boolean)
        .join(" · ");
      return { id, title, text, open };
    });
}

function recordsOf(tokens, headings, rows) {
  const records = [];
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
      records.push(section);
    }
    if (token.type === "table_open") depth += 1;
    if (token.type === "table_close") depth -= 1;
    const row = rows.find(({ open }) => open === token);
    if (row) {
      const { id, title, text } = row;
      records.push({ id, title, under: path.filter(Boolean).slice(1), text });
    }
    if (token.type === "fence") section.text += ` ${token.content}`;
    const isProse = token.type === "inline" && depth === 0 && tokens[index - 1].type !== "heading_open";
    if (isProse) section.text += ` ${textOf(token)}`;
  });
  return records.map((record) => ({ ...record, text: record.text.replace(/\s+/g, " ").trim() }));
}
