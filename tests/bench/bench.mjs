/**
 * `npm run bench`: hash rates against other solvers, key rates against the altcha widget's workers, and cold starts against
 * today's widget, in headless Chromium. `--browsers chromium,firefox,webkit` measures the hash rates in these,
 * `--only hash|keys|cold` measures one of the three, `--rounds N` sets how often; a whole run writes its record to
 * tests/bench/results, `--write` its tables to docs/benchmarks.md. `--cost` measures only what a million sessions cost an
 * attacker, see cost.mjs. Exit code 1 when a requirement is missed.
 */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { launchBrowser } from "../support/browser.mjs";
import { BROWSERS, launch, MissingBrowser } from "../support/browsers/index.mjs";
import { rivalVersions, writeBlock } from "../support/report.mjs";
import { installTarball } from "../support/tarball.mjs";
import { measureColdStarts } from "./cold.mjs";
import { measureDelayed } from "./delayed.mjs";
import { measureHashRates, openHashPage } from "./hash.mjs";
import { CASES, measureKeyPages, measureKeyRates } from "./kdf.mjs";
import { judgeKeyRates, keyPageTables, keyTables } from "./kdf-report.mjs";
import { measureLengths } from "./lengths.mjs";
import { measureNative } from "./native.mjs";
import { buildPowBuster, powBusterVersion } from "./pow-buster.mjs";
import { judge, judgeColdStarts, judgeDelayed } from "./requirements.mjs";
import { coldTable, delayedTable, hashTables, nativeLine } from "./tables.mjs";
import { measureWorkers } from "./workers.mjs";

const HASH_ROUNDS = 9;
const WORKER_TURNS = 5;
const COLD_TURNS = 20;
const DELAYED_TURNS = 7;
const KEY_ROUNDS = 5;

const { values } = parseArgs({
  options: {
    browsers: { type: "string", default: "chromium" },
    cost: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const { only, write } = values;
const browsers = values.browsers.split(",");
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (
  ![undefined, "hash", "keys", "cold"].includes(only) ||
  !(rounds === undefined || (Number.isInteger(rounds) && rounds > 0)) ||
  !browsers.every((name) => BROWSERS.includes(name))
) {
  console.error(
    `usage: npm run bench -- [--browsers ${BROWSERS.join(",")}] [--cost] [--only hash|keys|cold] [--rounds N] [--write]`,
  );
  process.exit(2);
}
if (values.cost) {
  const { measureCost } = await import("./cost.mjs");
  await measureCost({ rounds, write });
  process.exit();
}
if (write && only) {
  console.error("--write needs the whole measurement: leave --only away.");
  process.exit(2);
}

const progress = (text) => process.stderr.write(`${text}\n`);

/** `[{ name, title, hash, lengths, workers }]`; a browser that is missing is one sentence. */
async function measureBrowsers(tarball) {
  progress("pow-buster: building it, some minutes the first time");
  const powBuster = await buildPowBuster();
  const results = [];
  for (const name of browsers) {
    const browser = await launch(name, { fineClock: true }).catch((error) => {
      if (!(error instanceof MissingBrowser)) throw error;
      console.log(`${error.message}: not measured.`);
    });
    if (!browser) continue;
    const { title } = browser;
    const within = (text) => progress(`${title}: ${text}`);
    try {
      const page = await openHashPage(browser, tarball, powBuster);
      const hash = await measureHashRates(page, rounds ?? HASH_ROUNDS, within);
      const lengths = await measureLengths(page, rounds ?? HASH_ROUNDS, within);
      const workers = await measureWorkers(
        page,
        tarball,
        Math.min(rounds ?? WORKER_TURNS, WORKER_TURNS),
        within,
      );
      results.push({ name, title, hash, lengths, workers });
      await page.close();
    } finally {
      await browser.close();
    }
  }
  return results;
}

/** `[{ name, title, keys, pages }]`: the searches of version 2. */
async function measureKeys(tarball) {
  const results = [];
  const turns = Math.min(rounds ?? KEY_ROUNDS, KEY_ROUNDS);
  for (const name of browsers) {
    const browser = await launch(name, { fineClock: true }).catch((error) => {
      if (!(error instanceof MissingBrowser)) throw error;
      console.log(`${error.message}: not measured.`);
    });
    if (!browser) continue;
    const { title } = browser;
    const within = (text) => progress(`${title}: ${text}`);
    try {
      const keys = await measureKeyRates(browser, tarball, turns, within);
      results.push({ name, title, keys, pages: await measureKeyPages(browser, tarball, turns, within) });
    } finally {
      await browser.close();
    }
    if (name === "chromium" && features().includes("SHA-NI"))
      results.push(await measureWithoutShaNi(tarball, turns));
  }
  return results;
}

/**
 * PBKDF2 where WebCrypto does without the processor's instructions for SHA-256, as on processors that have none: a bit of
 * `OPENSSL_ia32cap`, which BoringSSL reads.
 */
async function measureWithoutShaNi(tarball, turns) {
  process.env.OPENSSL_ia32cap = ":~0x20000000";
  const browser = await launch("chromium", { fineClock: true });
  try {
    const title = `${browser.title} with SHA-NI off`;
    const within = (text) => progress(`${title}: ${text}`);
    const cases = CASES.filter(({ algorithm }) => algorithm === "PBKDF2/SHA-256");
    const keys = await measureKeyRates(browser, tarball, turns, within, cases);
    return { name: "chromium without SHA-NI", title, keys };
  } finally {
    delete process.env.OPENSSL_ia32cap;
    await browser.close();
  }
}

/** Returns the processor's instruction sets that matter here, where the system shows them. */
function features() {
  let flags = "";
  try {
    flags = readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return [];
  }
  const names = { sha_ni: "SHA-NI", avx2: "AVX2", avx512f: "AVX-512" };
  return Object.keys(names)
    .filter((flag) => new RegExp(`\\b${flag}\\b`).test(flags))
    .map((flag) => names[flag]);
}

/** The browsers have been measured by then: their figures stand without it. */
function tryNative() {
  return measureNative(progress).catch((error) => {
    console.log(`The native kernel is not measured: ${error.message}.`);
  });
}

async function measureCold(tarball) {
  const browser = await launchBrowser();
  try {
    const cold = await measureColdStarts(browser, tarball, rounds ?? COLD_TURNS, progress);
    const turns = Math.min(rounds ?? DELAYED_TURNS, DELAYED_TURNS);
    const delayed = await measureDelayed(browser, tarball, turns, progress);
    return { title: `Chromium ${browser.version()}`, ...cold, delayed };
  } finally {
    await browser.close();
  }
}

async function writeRecord(record) {
  const results = new URL("results/", import.meta.url);
  await mkdir(results, { recursive: true });
  const slug = record.cpu
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  await writeFile(new URL(`${record.date}-${slug}.json`, results), `${JSON.stringify(record, null, 2)}\n`);
}

const tarball = await installTarball();
try {
  const machine = {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    features: features(),
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    versions: { saltmine: tarball.manifest.version, ...rivalVersions, "pow-buster": powBusterVersion },
  };
  const measured = only === "cold" || only === "keys" ? [] : await measureBrowsers(tarball);
  const keys = only === undefined || only === "keys" ? await measureKeys(tarball) : [];
  const native = measured.length > 0 ? await tryNative() : undefined;
  const cold = only === "hash" || only === "keys" ? undefined : await measureCold(tarball);

  const titles = new Set([
    ...[...measured, ...keys].map(({ title }) => title),
    ...(cold ? [cold.title] : []),
  ]);
  const processor = [machine.cpu, `${machine.cores} cores`, ...machine.features].join(", ");
  const lines = [`${[...titles].join(", ")}; ${processor}; ${machine.date}.`];
  if (cold) lines.push(delayedTable(cold.delayed, machine), coldTable(cold, machine));
  if (measured.length > 0) lines.push(...hashTables(measured, machine));
  if (native) lines.push(nativeLine(native, measured));
  lines.push(...keyTables(keys), ...keyPageTables(keys));
  const text = lines.join("\n\n");
  console.log(`${text}\n`);

  const verdicts = [
    ...measured.flatMap(({ name, title, ...result }) =>
      judge(name, result).map((verdict) => ({ ...verdict, text: `${title}: ${verdict.text}` })),
    ),
    ...keys.flatMap(({ name, title, keys }) =>
      judgeKeyRates(name, keys).map((verdict) => ({ ...verdict, text: `${title}: ${verdict.text}` })),
    ),
    ...(cold ? [...judgeColdStarts(cold), ...judgeDelayed(cold.delayed)] : []),
  ];
  for (const { holds, text: sentence } of verdicts) {
    console.log(`${holds === undefined ? "no bound" : holds ? "held" : "MISSED"}: ${sentence}`);
  }
  if (measured.length > 0 && cold) {
    await writeRecord({ ...machine, browsers: measured, keys, native, cold });
    if (write) await writeBlock("bench", text);
  }
  if (verdicts.some(({ holds }) => holds === false)) process.exitCode = 1;
} finally {
  await tarball.remove();
}
