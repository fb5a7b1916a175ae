/** From navigation to the token: fresh profile and cold cache each time, on loopback, the pages taking turns. */
import { verifySolution } from "altcha-lib";
import { servePages, untilDone } from "../support/pages.mjs";
import { HMAC_KEY, makeChallenge, right } from "../support/service.mjs";
import { quartiles } from "./shared.mjs";

export const PAGES = { saltmine: "/", "altcha widget": "/widget", "bare page": "/bare" };

/** Half of what a default challenge can cost, which is what it costs on average. */
const NUMBER = 25_000;
const MAX_NUMBER = 50_000;

/** `{ ms, ratios, times }`: milliseconds, and ours against the others of the same turn. */
export async function measureColdStarts(browser, tarball, turns, progress) {
  const challenge = async () => ({ body: await makeChallenge({ number: NUMBER, maxNumber: MAX_NUMBER }) });
  const site = await servePages(tarball, { challenge, session: right.session });
  const visit = async (name) => {
    const context = await browser.newContext();
    try {
      const done = await untilDone(await context.newPage(), site.baseUrl + PAGES[name]);
      await assertWorked(name, done);
      return done.at;
    } finally {
      await context.close();
    }
  };
  try {
    const names = Object.keys(PAGES);
    // The browser's own first time is nobody's.
    for (const name of names) await visit(name);
    const times = Object.fromEntries(names.map((name) => [name, []]));
    for (let turn = 0; turn < turns; turn += 1) {
      progress(`cold starts: turn ${turn + 1} of ${turns}`);
      const order = names.map((_, index) => names[(index + turn) % names.length]);
      for (const name of turn % 2 ? order.reverse() : order) times[name].push(await visit(name));
    }
    return summarize(times);
  } finally {
    await site.close();
  }
}

/** A page that did not do its work is not fast. */
async function assertWorked(name, { token, hashes, backend, payload }) {
  const worked = {
    saltmine: () =>
      token && hashes === NUMBER + 1 && backend.engine === "simd128" && backend.thread === "worker",
    "altcha widget": () => verifySolution(payload, HMAC_KEY),
    "bare page": () => token,
  };
  if (!(await worked[name]())) throw new Error(`${name} did not do its work`);
}

function summarize(times) {
  const ratio = (theirs) => quartiles(times.saltmine.map((time, turn) => time / times[theirs][turn]));
  const ms = Object.fromEntries(Object.entries(times).map(([name, list]) => [name, quartiles(list)]));
  return {
    ms,
    ratios: {
      "saltmine / altcha widget": ratio("altcha widget"),
      "saltmine / bare page": ratio("bare page"),
    },
    times,
  };
}
