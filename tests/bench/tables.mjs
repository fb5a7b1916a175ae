/** The tables that a run prints, and that docs/benchmarks.md shows: a column for each browser that was measured. */
import { table } from "../support/report.mjs";
import { PAGES } from "./cold.mjs";
import { DELAYS_MS } from "./delayed.mjs";

const fixed = (value, digits) => value.toFixed(digits);
const range = ({ low, high }, digits) => `${fixed(low, digits)}–${fixed(high, digits)}`;

/** `results` has `{ title, hash, lengths, workers }` for each browser. */
export function hashTables(results, { versions }) {
  const names = {
    simd128: "**saltmine, SIMD**",
    scalar: "saltmine, scalar",
    javascript: "saltmine, JavaScript",
    "pow-buster": `pow-buster ${versions["pow-buster"]}, compiled with SIMD`,
    "cap.js": `\`@cap.js/wasm\` ${versions["@cap.js/wasm"]}`,
    "altcha-lib": `\`altcha-lib\` ${versions["altcha-lib"]}`,
  };
  const titles = results.map(({ title }) => title);
  const rounds = results[0].hash.rates.simd128.length;
  const rate = (value) => {
    const digits = value.median < 1 ? 3 : 1;
    return `${fixed(value.median, digits)} (${range(value, digits)})`;
  };
  const rates = table(
    [`one thread, millions of hashes a second, ${rounds} rounds`, ...titles],
    Object.entries(names).map(([row, name]) => [name, ...results.map(({ hash }) => rate(hash.mhs[row]))]),
  );
  const ratio = (value) => fixed(value, value < 20 ? 2 : 0);
  const times = (name, of) => [name, ...results.map((result) => ratio(of(result)))];
  const hashRatio = (name, key) => times(name, ({ hash }) => hash.ratios[key].median);
  const ratios = table(
    ["ratio of the same round, median", ...titles],
    [
      hashRatio("SIMD to `altcha-lib`", "simd128 / altcha-lib"),
      hashRatio("SIMD to pow-buster", "simd128 / pow-buster"),
      hashRatio("SIMD to `@cap.js/wasm`", "simd128 / cap.js"),
      hashRatio("scalar to `@cap.js/wasm`", "scalar / cap.js"),
      hashRatio("JavaScript to `altcha-lib`", "javascript / altcha-lib"),
      ...[70, 100, 130].map((length) =>
        hashRatio(`a salt of ${length} bytes to one of 44`, `simd128, ${length} bytes / simd128`),
      ),
      times(
        "the slowest salt of 0 to 130 bytes and 4 to 7 digits",
        ({ lengths }) => lengths.worst.ratio.median,
      ),
      times("two workers to one, 20 million candidates", ({ workers }) => workers.ratio.median),
    ],
  );
  return [rates, ratios];
}

/** The limit of the idea, and how near each browser comes. */
export function nativeLine({ mhs }, results) {
  const shares = results.map(({ title, hash }) => {
    return `${fixed(hash.mhs.simd128.median / mhs.median, 2)} of that in ${title}`;
  });
  const rate = `${fixed(mhs.median, 1)} (${range(mhs, 1)})`;
  return `The same kernel natively, for 128-bit vectors: ${rate}; SIMD is ${shares.join(", ")}.`;
}

export function coldTable({ ms, times }, { versions }) {
  const names = {
    saltmine: "**saltmine**, to the session token",
    "altcha widget": `\`altcha\` ${versions.altcha}, the widget, to its verified state`,
    "bare page": "a worker and the same two requests, no work",
  };
  return table(
    [`cold start in Chromium, ${times.saltmine.length} visits`, "median ms", "range"],
    Object.keys(PAGES).map((name) => [names[name], fixed(ms[name].median, 0), range(ms[name], 0)]),
  );
}

/** The network's part: times by the delay of each response. */
export function delayedTable({ ms, serial }, { versions }) {
  const widget3 = versions["altcha-3"].split("@").at(-1);
  const names = {
    saltmine: "**saltmine**",
    "saltmine, preloading": "**saltmine**, with `modulepreload` and `preload`",
    "altcha-lib": `a flow written by hand with \`altcha-lib\` ${versions["altcha-lib"]}, a worker for each core`,
    "altcha widget": `\`altcha\` ${versions.altcha}, the widget and the same session request`,
    "altcha widget 3": `\`altcha\` ${widget3}, the same, without its minimum duration`,
    "saltmine, version 2": "**saltmine**, a challenge of version 2",
    "saltmine, version 2 known": "**saltmine**, the same, with `challengeVersion: 2`",
    "altcha widget 3, version 2": `\`altcha\` ${widget3}, the same challenge`,
    "saltmine, other origin": "**saltmine**, the service on another origin than the page",
    "altcha widget 3, other origin": `\`altcha\` ${widget3}, the same`,
    "saltmine, version 2, other origin": "**saltmine**, another origin and a challenge of version 2",
    "saltmine, version 2 known, other origin": "**saltmine**, the same, with `challengeVersion: 2`",
    "altcha widget 3, version 2, other origin": `\`altcha\` ${widget3}, the same challenge`,
  };
  return table(
    [
      "median ms to a token on a cold visit, where each response takes",
      ...DELAYS_MS.map((delayMs) => `${delayMs} ms`),
      "serial responses",
    ],
    Object.keys(names).map((name) => [
      names[name],
      ...DELAYS_MS.map((delayMs) => fixed(ms[name][delayMs].median, 0)),
      fixed(serial[name], 1),
    ]),
  );
}
