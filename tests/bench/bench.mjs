/**
 * `npm run bench`: hash rates against other solvers, and cold starts against today's widget, in headless Chromium.
 * `--only hash|cold` measures one of them, `--rounds N` sets how often; a whole run writes its record to
 * tests/bench/results, `--write` its tables to the README. Exit code 1 when a requirement is missed.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { launchBrowser } from "../support/browser.mjs";
import { rivalVersions, table, writeBlock } from "../support/report.mjs";
import { installTarball } from "../support/tarball.mjs";
import { measureColdStarts, PAGES } from "./cold.mjs";
import { measureHashRates, RIVALS } from "./hash.mjs";

/** What must hold on every machine. */
const LEAST_TIMES_CAP = 2.3;
const MOST_OF_WIDGET = 0.4;

const HASH_ROUNDS = 9;
const COLD_TURNS = 20;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const { only, write } = values;
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (
  ![undefined, "hash", "cold"].includes(only) ||
  !(rounds === undefined || (Number.isInteger(rounds) && rounds > 0))
) {
  console.error("usage: npm run bench -- [--only hash|cold] [--rounds N] [--write]");
  process.exit(2);
}
if (write && only) {
  console.error("--write needs the whole measurement: leave --only away.");
  process.exit(2);
}

function environment(browser, tarball) {
  const [{ model }] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: model.trim(),
    cores: cpus().length,
    system: `${process.platform} ${process.arch}`,
    browser: `Chromium ${browser.version()}`,
    node: process.versions.node,
    versions: { saltmine: tarball.manifest.version, ...rivalVersions },
  };
}

const fixed = (value, digits) => value.toFixed(digits);
const range = ({ low, high }, digits) => `${fixed(low, digits)}–${fixed(high, digits)}`;

function hashTable({ mhs, rates }, { versions }) {
  const names = {
    simd128: "**saltmine, SIMD**",
    scalar: "saltmine, scalar",
    "cap.js": `\`@cap.js/wasm\` ${versions["@cap.js/wasm"]}`,
    "altcha-lib": `\`altcha-lib\` ${versions["altcha-lib"]}`,
  };
  const digits = (rival) => (mhs[rival].median < 1 ? 3 : 1);
  return table(
    [`one thread, ${rates.simd128.length} rounds`, "million hashes a second", "range", "times cap.js"],
    RIVALS.map((rival) => [
      names[rival],
      fixed(mhs[rival].median, digits(rival)),
      range(mhs[rival], digits(rival)),
      fixed(mhs[rival].median / mhs["cap.js"].median, 2),
    ]),
  );
}

function coldTable({ ms, times }, { versions }) {
  const names = {
    saltmine: "**saltmine**, to the session token",
    "altcha widget": `\`altcha\` ${versions.altcha}, the widget, to its verified state`,
    "bare page": "a worker and the same two requests, no work",
  };
  return table(
    [`cold start, ${times.saltmine.length} visits`, "median ms", "range"],
    Object.keys(PAGES).map((name) => [names[name], fixed(ms[name].median, 0), range(ms[name], 0)]),
  );
}

const tarball = await installTarball();
const browser = await launchBrowser();
const progress = (text) => process.stderr.write(`${text}\n`);
try {
  const machine = environment(browser, tarball);
  const hash =
    only === "cold" ? undefined : await measureHashRates(browser, tarball, rounds ?? HASH_ROUNDS, progress);
  const cold =
    only === "hash" ? undefined : await measureColdStarts(browser, tarball, rounds ?? COLD_TURNS, progress);

  const lines = [`${machine.browser}, ${machine.cpu}, ${machine.cores} cores, ${machine.date}.`];
  if (hash) lines.push(hashTable(hash, machine));
  if (cold) lines.push(coldTable(cold, machine));
  const text = lines.join("\n\n");
  console.log(text);

  const missed = [];
  const require_ = (holds, sentence) => {
    console.log(`${holds ? "held" : "MISSED"}: ${sentence}`);
    if (!holds) missed.push(sentence);
  };
  console.log("");
  if (hash) {
    const { median } = hash.ratios["simd128 / cap.js"];
    require_(
      median >= LEAST_TIMES_CAP,
      `SIMD is ${fixed(median, 2)} times cap.js, at least ${LEAST_TIMES_CAP}`,
    );
    console.log(`SIMD is ${fixed(hash.ratios["simd128 / altcha-lib"].median, 0)} times altcha-lib`);
  }
  if (cold) {
    const share = cold.ms.saltmine.median / cold.ms["altcha widget"].median;
    require_(
      share <= MOST_OF_WIDGET,
      `a cold start takes ${fixed(share, 2)} of the widget's, at most ${MOST_OF_WIDGET}`,
    );
  }
  if (hash && cold) {
    const results = new URL("results/", import.meta.url);
    await mkdir(results, { recursive: true });
    const slug = machine.cpu
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");
    const file = new URL(`${machine.date}-${slug}.json`, results);
    await writeFile(file, `${JSON.stringify({ ...machine, hash, cold }, null, 2)}\n`);
    if (write) await writeBlock("bench", text);
  }
  if (missed.length > 0) process.exitCode = 1;
} finally {
  await browser.close();
  await tarball.remove();
}
