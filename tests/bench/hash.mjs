/** Hash rates, one thread each, the rivals taking turns within one run. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openPage } from "../support/browser.mjs";
import { root } from "../support/paths.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { quartiles } from "./statistics.mjs";

const require = createRequire(import.meta.url);
const cap = join(dirname(require.resolve("@cap.js/wasm/package.json")), "browser");

export const RIVALS = ["simd128", "scalar", "cap.js", "altcha-lib"];
const WARM_UP_MS = 1_500;
const TURN_MS = 700;

/** 44 bytes, as the service issues them. */
const makeSalt = () => `${randomBytes(12).toString("hex")}?expires=1790000000&`;

/** `{ mhs, ratios, rates }`: the rates in millions a second, and ratios, each turn against the same round's. */
export async function measureHashRates(browser, { dist }, rounds, progress) {
  const site = await serveFiles({
    folders: {
      "/saltmine/": dist,
      "/glue/": join(root, "pkg", "wasm"),
      "/altcha-lib/": dirname(fileURLToPath(import.meta.resolve("altcha-lib"))),
      "/cap/": cap,
    },
    files: { "/": BLANK_PAGE, "/rivals.js": await readFile(new URL("rivals.mjs", import.meta.url)) },
  });
  const { page, context } = await openPage(browser, site.origin);
  const tell = async (rival, message) => {
    const answer = await page.evaluate(askWorker, { rival, ...message });
    if (answer.failed) throw new Error(`${rival}: ${answer.failed}`);
    return answer;
  };
  try {
    const lasts = {};
    for (const rival of RIVALS) {
      const { hashesPerMs } = await tell(rival, { salt: makeSalt(), warmUpMs: WARM_UP_MS });
      lasts[rival] = Math.round(hashesPerMs * TURN_MS);
    }
    const rates = Object.fromEntries(RIVALS.map((rival) => [rival, []]));
    for (let round = 0; round < rounds; round += 1) {
      progress(`hash rates: round ${round + 1} of ${rounds}`);
      const salt = makeSalt();
      // Nobody always comes first, or after the same other.
      const order = RIVALS.map((_, index) => RIVALS[(index + round) % RIVALS.length]);
      for (const rival of round % 2 ? order.reverse() : order) {
        const last = lasts[rival];
        const { ms } = await tell(rival, { salt, last });
        rates[rival].push((last + 1) / ms / 1_000);
      }
    }
    return summarize(rates);
  } finally {
    await context.close();
    await site.close();
  }
}

/** In the page: one worker for each rival, kept for the whole run. */
function askWorker({ rival, ...message }) {
  globalThis.workers ??= {};
  globalThis.workers[rival] ??= new Worker("/rivals.js", { type: "module", name: rival });
  const worker = globalThis.workers[rival];
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ rival, ...message });
  });
}

function summarize(rates) {
  const ratio = (ours, theirs) => quartiles(rates[ours].map((rate, round) => rate / rates[theirs][round]));
  return {
    mhs: Object.fromEntries(RIVALS.map((rival) => [rival, quartiles(rates[rival])])),
    ratios: {
      "simd128 / cap.js": ratio("simd128", "cap.js"),
      "simd128 / altcha-lib": ratio("simd128", "altcha-lib"),
      "scalar / cap.js": ratio("scalar", "cap.js"),
      "simd128 / scalar": ratio("simd128", "scalar"),
    },
    rates,
  };
}
