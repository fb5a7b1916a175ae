/** The HTML document of a page. Its policy allows no inline script and no inline style. */
import { posix } from "node:path";
import { masthead } from "../www/masthead.mjs";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const MENU_BUTTON = `<button type="button" class="icon-button menu-button" popovertarget="menu" aria-label="Menu">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M4 7h16M4 12h16M4 17h16" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" />
        </svg>
      </button>`;

const escape = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Returns the document; `menu` is the value of `readPages()`. Vite replaces the paths of scripts, styles and images. */
export function pageHtml({ page, menu }) {
  const to = (file) => posix.relative(posix.dirname(page.file), file) + (file.endsWith("/") ? "/" : "");
  const mark = to("../www/src/mark.svg");
  const isTroubleshooting = page.source === "docs/troubleshooting.md";
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
    <title>${escape(page.title === "saltmine" ? "saltmine: documentation" : `${page.title} · saltmine`)}</title>
    <meta name="description" content="${escape(page.description)}" />
    <meta name="color-scheme" content="light dark" />
    <link rel="icon" type="image/svg+xml" href="${mark}" />
    <link rel="stylesheet" href="${to("src/style/index.css")}" />
    <script src="/theme.js"></script>
    <script type="module" src="${to("src/main.ts")}"></script>
  </head>
  <body>
    <a class="skip" href="#content">Skip to the content</a>
    ${masthead({
      menuButton: MENU_BUTTON,
      brand: `<a class="brand" href="${to("index.html")}"><img class="mark" src="${mark}" alt="" /> saltmine</a>`,
      search: searchBox("search", "Search"),
      current: "Docs",
      toRoot: to("../"),
    })}
    <nav id="menu" class="menu" popover aria-label="Documentation">
${menu.map((group) => menuGroup(group, page, to)).join("\n")}
    </nav>
    <main id="content">
${isTroubleshooting ? withSymptomSearch(page.html) : page.html}
    </main>
${outline(page.headings)}
  </body>
</html>
`;
}

function searchBox(id, label) {
  return `<form class="search" role="search" aria-label="${escape(label)}">
        <input id="${id}" type="search" placeholder="${escape(label)}" aria-label="${escape(label)}" autocomplete="off" spellcheck="false" />
        <div class="search-results" hidden></div>
        <p class="visually-hidden" role="status"></p>
      </form>`;
}

/** Adds a second search box below the title of the page. */
function withSymptomSearch(html) {
  const box = searchBox("symptom", "What do you see? A code, a message, a few words");
  return html.replace(
    "</h1>",
    `</h1>\n      ${box.replace('class="search"', 'class="search symptom-search"')}`,
  );
}

function menuGroup({ title, entries }, page, to) {
  const items = entries.map(({ href, file, label, isCode, title: own }) => {
    const text = escape(label ?? own);
    const current = file === page.file ? ' aria-current="page"' : "";
    return `        <li><a href="${to(href ?? file)}"${current}>${isCode ? `<code>${text}</code>` : text}</a></li>`;
  });
  return `      <h2>${escape(title)}</h2>\n      <ul>\n${items.join("\n")}\n      </ul>`;
}

function outline(headings) {
  const listed = headings.filter(({ level }) => level === 2 || level === 3);
  if (listed.length < 2) return "";
  const items = listed.map(
    ({ level, id, title }) => `        <li class="level-${level}"><a href="#${id}">${escape(title)}</a></li>`,
  );
  return `    <nav class="outline" aria-label="On this page">
      <h2>On this page</h2>
      <ul>\n${items.join("\n")}\n      </ul>
    </nav>`;
}
