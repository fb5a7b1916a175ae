/** Hash rates, one thread each, the rivals taking turns within one run. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../support/paths.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { quartiles } from "./statistics.mjs";

const require = createRequire(import.meta.url);
const cap = join(dirname(require.resolve("@cap.js/wasm/package.json")), "browser");

/** By the name of its row; a rival with a salt of its own length is compared with itself at 44 bytes. */
export const ROWS = {
  simd128: { rival: "simd128" },
  scalar: { rival: "scalar" },
  "pow-buster": { rival: "pow-buster" },
  "cap.js": { rival: "cap.js" },
  "altcha-lib": { rival: "altcha-lib" },
  "simd128, 70 bytes": { rival: "simd128", saltLength: 70 },
  "simd128, 100 bytes": { rival: "simd128", saltLength: 100 },
  "simd128, 130 bytes": { rival: "simd128", saltLength: 130 },
};
const NAMES = Object.keys(ROWS);
const RATIOS = [
  ["simd128", "altcha-lib"],
  ["simd128", "pow-buster"],
  ["simd128", "cap.js"],
  ["scalar", "cap.js"],
  ["simd128", "scalar"],
  ...NAMES.filter((name) => ROWS[name].saltLength).map((name) => [name, "simd128"]),
];

const WARM_UP_MS = 1_500;
const TURN_MS = 700;

/** 44 bytes, as the service issues them, or another length of the same kind. */
function makeSalt(length = 44) {
  const end = "?expires=1790000000&";
  return randomBytes(length).toString("hex").slice(end.length, length) + end;
}

/**
 * A page for the measurements, from a server of its own: `tell(message)` asks the rival's worker, `evaluate` calls a
 * function in the page. The headers give the page a clock finer than a millisecond.
 */
export async function openHashPage(browser, { dist }, powBuster) {
  const site = await serveFiles({
    folders: {
      "/saltmine/": dist,
      "/glue/": join(root, "pkg", "wasm"),
      "/altcha-lib/": dirname(fileURLToPath(import.meta.resolve("altcha-lib"))),
      "/cap/": cap,
      "/pow-buster/": powBuster,
    },
    files: { "/": BLANK_PAGE, "/rivals.js": await readFile(new URL("rivals.mjs", import.meta.url)) },
    headers: {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-resource-policy": "same-origin",
    },
  });
  const page = await browser.open(site.origin);
  return {
    evaluate: page.evaluate,
    tell: async (message) => {
      const answer = await page.evaluate(askWorker, message);
      if (answer.failed) throw new Error(`${message.rival}: ${answer.failed}`);
      return answer;
    },
    close: async () => {
      await page.close();
      await site.close();
    },
  };
}

/** `{ mhs, ratios, rates }`: the rates in millions a second, and ratios, each turn against the same round's. */
export async function measureHashRates({ tell }, rounds, progress) {
  const lasts = {};
  for (const name of NAMES) {
    const { rival, saltLength } = ROWS[name];
    const { hashesPerMs } = await tell({ rival, salt: makeSalt(saltLength), warmUpMs: WARM_UP_MS });
    lasts[name] = Math.round(hashesPerMs * TURN_MS);
  }
  const rates = Object.fromEntries(NAMES.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    progress(`hash rates: round ${round + 1} of ${rounds}`);
    const salt = makeSalt();
    // Nobody always comes first, or after the same other.
    const order = NAMES.map((_, index) => NAMES[(index + round) % NAMES.length]);
    for (const name of round % 2 ? order.reverse() : order) {
      const { rival, saltLength } = ROWS[name];
      const last = lasts[name];
      const { ms } = await tell({ rival, salt: saltLength ? makeSalt(saltLength) : salt, last });
      rates[name].push((last + 1) / ms / 1_000);
    }
  }
  return summarize(rates);
}

/** In the page: one worker for each rival, kept for the whole run. */
function askWorker(message) {
  globalThis.workers ??= {};
  globalThis.workers[message.rival] ??= new Worker("/rivals.js", { type: "module", name: message.rival });
  const worker = globalThis.workers[message.rival];
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(message);
  });
}

function summarize(rates) {
  const ratio = (ours, theirs) => quartiles(rates[ours].map((rate, round) => rate / rates[theirs][round]));
  return {
    mhs: Object.fromEntries(NAMES.map((name) => [name, quartiles(rates[name])])),
    ratios: Object.fromEntries(RATIOS.map(([ours, theirs]) => [`${ours} / ${theirs}`, ratio(ours, theirs)])),
    rates,
  };
}
