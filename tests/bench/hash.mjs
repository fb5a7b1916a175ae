/** Hash rates, one thread each, the rivals taking turns within one run. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { bundle } from "../support/typescript.mjs";
import { contestant, quartiles, ratio, takeTurns } from "./shared.mjs";

const require = createRequire(import.meta.url);

/** A rival with a salt of its own length is compared with itself at 44 bytes. */
const ROWS = [
  { name: "simd128", rival: "simd128" },
  { name: "scalar", rival: "scalar" },
  { name: "javascript", rival: "javascript" },
  { name: "pow-buster", rival: "pow-buster" },
  { name: "cap.js", rival: "cap.js" },
  { name: "altcha-lib", rival: "altcha-lib" },
  ...[70, 100, 130].map((saltLength) => ({
    name: `simd128, ${saltLength} bytes`,
    rival: "simd128",
    saltLength,
  })),
];
const RATIOS = [
  ["simd128", "altcha-lib"],
  ["simd128", "pow-buster"],
  ["simd128", "cap.js"],
  ["scalar", "cap.js"],
  ["javascript", "altcha-lib"],
  ["simd128", "scalar"],
  ["scalar", "javascript"],
  ...ROWS.filter(({ saltLength }) => saltLength).map(({ name }) => [name, "simd128"]),
];

const WARM_UP_MS = 1_500;
const TURN_MS = 700;

/**
 * A page for the measurements, from a server of its own: `tell(message)` asks the rival's worker, `evaluate` calls a
 * function in the page. The headers give the page a clock finer than a millisecond.
 */
export async function openHashPage(browser, { dist }, powBuster) {
  const site = await serveFiles({
    folders: { "/saltmine/": dist, "/pow-buster/": powBuster },
    files: {
      "/": BLANK_PAGE,
      "/rivals.js": await bundle(new URL("rivals.mjs", import.meta.url), "browser", ["/saltmine/*"]),
      // Its script, part of the bundle, looks for it beside itself.
      "/cap_wasm_bg.wasm": await readFile(require.resolve("@cap.js/wasm/browser/cap_wasm_bg.wasm")),
    },
    headers: {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-resource-policy": "same-origin",
    },
  });
  const page = await browser.open(site.origin);
  return {
    evaluate: page.evaluate,
    tell: (message) => page.evaluate(askWorker, message),
    close: async () => {
      await page.close();
      await site.close();
    },
  };
}

/** `{ mhs, ratios, rates }`: the rates in millions a second, and ratios, each turn against the same round's. */
export async function measureHashRates({ tell }, rounds, progress) {
  const rows = ROWS.map(({ name, rival, saltLength }) => ({ ...contestant(rival, tell), name, saltLength }));
  const rates = await takeTurns(rows, {
    rounds,
    warmUpMs: WARM_UP_MS,
    turnMs: TURN_MS,
    onTurn: ({ name }, done) => {
      const round = Math.floor(done / rows.length);
      if (round === 0) progress(`warming up: ${name}`);
      else if (done % rows.length === 0) progress(`hash rates: round ${round} of ${rounds}`);
    },
  });
  const entries = (list, of) => Object.fromEntries(list.map(of));
  return {
    mhs: entries(Object.entries(rates), ([name, mhs]) => [name, quartiles(mhs)]),
    ratios: entries(RATIOS, ([ours, theirs]) => [`${ours} / ${theirs}`, ratio(rates, ours, theirs)]),
    rates,
  };
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
