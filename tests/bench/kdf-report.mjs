/** Tables of the measurements of ALTCHA version 2, and what must hold of them. */

const WIDGET_ONE = "one SIMD worker / widget's one";
const TWO = "two SIMD workers / widget's two";
const CHOSEN = "engine chosen, one worker / widget's one";
const SCALING = "two SIMD workers / one";
const TWO_TO_ONE = "two SIMD workers / widget's one";

/** The least ratios of each case, by browser. */
const LEAST = {
  "PBKDF2/SHA-256, cost 5000": {
    [WIDGET_ONE]: { chromium: 0.85, firefox: 1.25, "chromium without SHA-NI": 2.1 },
    [TWO]: { chromium: 1.35, firefox: 1.25 },
    [CHOSEN]: { chromium: 1.05 },
    [TWO_TO_ONE]: { "chromium without SHA-NI": 4 },
  },
  "SHA-256, cost 1000": { [WIDGET_ONE]: { chromium: 60, firefox: 250 } },
  "SCRYPT, N 16384, r 8": { [WIDGET_ONE]: { chromium: 2.5, firefox: 3 } },
  "SCRYPT, N 65536, r 8": { [WIDGET_ONE]: { chromium: 2.4 } },
  "ARGON2ID, t 2, 16 MiB": { [WIDGET_ONE]: { chromium: 2.6, firefox: 2.6 } },
  "ARGON2ID, t 2, 64 MiB": { [WIDGET_ONE]: { chromium: 2.2, firefox: 2.3 } },
};
const LEAST_SCALING = { chromium: 1.8, firefox: 1.8 };

const shown = ({ median }) => (median >= 100 ? median.toFixed(0) : median.toFixed(2));

/** Sentences `{ holds, text }` on the key rates of one browser. */
export const judgeKeyRates = (browser, results) =>
  results.flatMap(({ name, ratios }) =>
    Object.entries(ratios).map(([what, ratio]) => {
      const least = what === SCALING ? LEAST_SCALING[browser] : LEAST[name]?.[what]?.[browser];
      const text = `${name}: ${what} is ${shown(ratio)}${least === undefined ? "" : `, at least ${least}`}`;
      return { holds: least === undefined ? undefined : ratio.median >= least, text };
    }),
  );

const COLUMNS = ["widget 1", "widget 2", "simd 1", "simd 2", "chosen 1", "scalar 1"];

const RATIO_COLUMNS = {
  "one worker to the widget's one": WIDGET_ONE,
  "two workers to the widget's two": TWO,
  "two workers to the widget's one": TWO_TO_ONE,
  "engine chosen to the widget's one": CHOSEN,
  "two workers to one": SCALING,
};

/** The key rates of browsers: `[{ title, keys }]`. */
export function keyTables(measured) {
  const head = [
    "keys a second",
    "widget",
    "widget, 2 workers",
    "SIMD",
    "SIMD, 2 workers",
    "engine chosen",
    "scalar",
  ];
  return measured.map(({ title, keys }) =>
    [
      `${title}, beside the \`altcha\` 3.2.2 widget's own workers:\n`,
      row(head),
      row(head.map((_, at) => (at === 0 ? "---" : "---:"))),
      ...keys.map(({ name, rates }) =>
        row([name, ...COLUMNS.map((column) => (rates[column] ? shown(rates[column]) : "not measured"))]),
      ),
      "",
      row(["ratio of the same round, median", ...Object.keys(RATIO_COLUMNS)]),
      row(["---", ...Object.keys(RATIO_COLUMNS).map(() => "---:")]),
      ...keys.map(({ name, ratios }) =>
        row([
          name,
          ...Object.values(RATIO_COLUMNS).map((what) =>
            ratios[what] ? shown(ratios[what]) : "not measured",
          ),
        ]),
      ),
    ].join("\n"),
  );
}

/** The pages: `[{ title, pages }]`. */
export const keyPageTables = (measured) =>
  measured
    .filter(({ pages }) => pages)
    .map(({ title, pages }) =>
      [
        `${title}, from navigation to a verified payload, PBKDF2/SHA-256 with cost 5000 and counter 5000:\n`,
        row(["page", "milliseconds", "of the widget's page"]),
        row(["---", "---:", "---:"]),
        ...pages.map(({ name, ms, ratio }) => row([name, shown(ms), shown(ratio)])),
      ].join("\n"),
    );

const row = (cells) => `| ${cells.join(" | ")} |`;
