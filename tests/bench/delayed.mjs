/**
 * From navigation to the token where every response takes its time: cold visits with a fresh profile, the pages taking
 * turns. What a network costs is the number of responses that have to follow each other.
 */
import { servePages, untilDone } from "../support/pages.mjs";
import { makeChallenge, right } from "../support/service.mjs";
import { quartiles } from "./shared.mjs";

const DELAYS_MS = [100, 600];
const PAGES = {
  saltmine: "/",
  "saltmine, preloading": "/preloading",
  "altcha widget": "/widget-session",
};
/** Half of what a default challenge can cost, which is what it costs on average. */
const NUMBER = 25_000;
const MAX_NUMBER = 50_000;

/** `{ ms, serial }`: by page the quartiles for each delay, and how many responses follow each other. */
export async function measureDelayed(browser, tarball, turns, progress) {
  const challenge = async () => ({ body: await makeChallenge({ number: NUMBER, maxNumber: MAX_NUMBER }) });
  const names = Object.keys(PAGES);
  const ms = Object.fromEntries(names.map((name) => [name, {}]));
  for (const delayMs of DELAYS_MS) {
    const headers = { "cache-control": "max-age=3600" };
    const site = await servePages(tarball, { challenge, session: right.session }, { delayMs, headers });
    const visit = async (name) => {
      const context = await browser.newContext();
      try {
        const done = await untilDone(await context.newPage(), site.baseUrl + PAGES[name]);
        if (!done.token) throw new Error(`${name} has no token`);
        return done.at;
      } finally {
        await context.close();
      }
    };
    try {
      const times = Object.fromEntries(names.map((name) => [name, []]));
      for (let turn = 0; turn < turns; turn += 1) {
        progress(`responses after ${delayMs} ms: turn ${turn + 1} of ${turns}`);
        for (const name of turn % 2 ? [...names].reverse() : names) times[name].push(await visit(name));
      }
      for (const name of names) ms[name][delayMs] = quartiles(times[name]);
    } finally {
      await site.close();
    }
  }
  const [short, long] = DELAYS_MS;
  const slope = (name) => (ms[name][long].median - ms[name][short].median) / (long - short);
  return { ms, serial: Object.fromEntries(names.map((name) => [name, slope(name)])) };
}
