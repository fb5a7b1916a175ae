/** The head of every page, the demo's as well as the documentation's. */

/** The mark in the colours of the theme, for `<use href="#mark" />`. */
const SYMBOL = `<svg hidden aria-hidden="true">
  <symbol id="mark" viewBox="0 0 32 32">
    <path class="mark-left" d="M3.5 9.6 16 16.4v13.4L3.5 23z" />
    <path class="mark-right" d="M28.5 9.6 16 16.4v13.4L28.5 23z" />
    <path class="mark-top" d="M16 2.4 28.5 9.6 16 16.4 3.5 9.6z" />
    <path class="mark-pit" d="M16 5.8 22.4 9.5 16 13 9.6 9.5z" />
    <path class="mark-pit-wall" d="M16 5.8 22.4 9.5 16 9.5 16 13 9.6 9.5z" />
  </symbol>
</svg>`;

const PAGES = [
  ["", "Demo"],
  ["bench.html", "Benchmark"],
  ["docs/", "Docs"],
];

/**
 * The HTML: `brand` is its first element, `current` the title of the page's entry, `toRoot` the way to the demo's
 * folder; `menuButton` comes before the brand and `search` after it.
 */
export function masthead({ brand, current, toRoot = "./", menuButton = "", search = "" }) {
  const links = PAGES.map(([file, title]) => {
    const mark = title === current ? ' aria-current="page"' : "";
    return `<a href="${toRoot}${file}"${mark}>${title}</a>`;
  });
  return `<header class="masthead">
      ${menuButton}
      ${brand}
      ${search}
      <nav class="pages" aria-label="Pages">
        ${links.join("\n        ")}
      </nav>
      <button type="button" class="icon-button" data-testid="theme-toggle" aria-label="Switch the theme">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="12" cy="12" r="8.5" fill="none" stroke="currentColor" stroke-width="1.7" />
          <path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor" />
        </svg>
      </button>
    </header>`;
}

/** Puts it where a page of the demo says `<!-- masthead: Demo -->`, with the mark that the page draws. */
export const mastheads = {
  name: "saltmine-mastheads",
  transformIndexHtml: {
    order: "pre",
    handler(html, { filename }) {
      const brand =
        '<p class="brand"><svg class="mark" aria-hidden="true"><use href="#mark" /></svg> saltmine</p>';
      const [marker, current] = /<!-- masthead: (\w+) -->/.exec(html) ?? [];
      if (!marker) throw new Error(`${filename} says nowhere where its masthead stands`);
      return html.replace(marker, SYMBOL + masthead({ brand, current }));
    },
  },
};
