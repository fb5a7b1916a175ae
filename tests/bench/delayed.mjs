/**
 * From navigation to the token where every response takes its time: cold visits with a fresh profile, the pages taking
 * turns. The delay of a network is proportional to the number of responses that follow each other.
 */
import { fileURLToPath } from "node:url";
import { theirChallenge } from "../support/altcha-v2.mjs";
import { servePages, untilDone } from "../support/pages.mjs";
import { granted, makeChallenge, right } from "../support/service.mjs";
import { bundle } from "../support/typescript.mjs";
import { quartiles } from "./shared.mjs";

export const DELAYS_MS = [0, 100, 300, 600];
/** The number of serial responses is the slope between these two. */
const SLOPE_MS = [100, 600];
/** By name: the version of the challenge, and the page. */
const PAGES = {
  saltmine: [1, "/"],
  "saltmine, preloading": [1, "/preloading"],
  "altcha-lib": [1, "/altcha-lib"],
  "altcha widget": [1, "/widget-session"],
  "altcha widget 3": [1, "/widget-3-session"],
  "saltmine, version 2": [2, "/"],
  "saltmine, version 2 known": [2, "/version-2"],
  "altcha widget 3, version 2": [2, "/widget-3-session"],
  "saltmine, other origin": [1, "/other-origin"],
  "altcha widget 3, other origin": [1, "/other-origin/widget-3-session"],
  "saltmine, version 2, other origin": [2, "/other-origin"],
  "saltmine, version 2 known, other origin": [2, "/other-origin/version-2"],
  "altcha widget 3, version 2, other origin": [2, "/other-origin/widget-3-session"],
};
const WIDGET_3 = fileURLToPath(new URL("..", import.meta.resolve("altcha-3")));
/** Half of what a default challenge can cost, which is what it costs on average. */
const NUMBER = 25_000;
const MAX_NUMBER = 50_000;
/** The reference server's default for version 2. */
const VERSION_2 = { cost: 5000, counter: 600 };

/** `{ ms, serial }`: by page the quartiles for each delay, and how many responses follow each other. */
export async function measureDelayed(browser, tarball, turns, progress) {
  const routes = [
    {
      challenge: async () => ({ body: await makeChallenge({ number: NUMBER, maxNumber: MAX_NUMBER }) }),
      session: right.session,
    },
    {
      challenge: async () => ({ body: await theirChallenge("PBKDF2/SHA-256", VERSION_2) }),
      session: async () => granted(),
    },
  ];
  const files = {
    "/altcha-lib.js": await bundle(new URL("altcha-lib-flow.mjs", import.meta.url), "browser"),
    "/altcha-lib-worker.js": await bundle(import.meta.resolve("altcha-lib/worker"), "browser"),
  };
  const names = Object.keys(PAGES);
  const ms = Object.fromEntries(names.map((name) => [name, {}]));
  for (const delayMs of DELAYS_MS) {
    const options = {
      delayMs,
      files,
      folders: { "/altcha-3/": WIDGET_3 },
      headers: { "cache-control": "max-age=3600" },
    };
    const sites = await Promise.all(routes.map((route) => servePages(tarball, route, options)));
    const visit = async (name) => {
      const [version, path] = PAGES[name];
      const context = await browser.newContext();
      try {
        const done = await untilDone(await context.newPage(), sites[version - 1].baseUrl + path);
        if (!done.token) throw new Error(`${name} has no token`);
        return done.at;
      } finally {
        await context.close();
      }
    };
    try {
      // The browser's own first time is nobody's.
      for (const name of names) await visit(name);
      const times = Object.fromEntries(names.map((name) => [name, []]));
      for (let turn = 0; turn < turns; turn += 1) {
        progress(`responses after ${delayMs} ms: turn ${turn + 1} of ${turns}`);
        for (const name of turn % 2 ? [...names].reverse() : names) times[name].push(await visit(name));
      }
      for (const name of names) ms[name][delayMs] = quartiles(times[name]);
    } finally {
      await Promise.all(sites.map((site) => site.close()));
    }
  }
  const [short, long] = SLOPE_MS;
  const slope = (name) => (ms[name][long].median - ms[name][short].median) / (long - short);
  return { ms, serial: Object.fromEntries(names.map((name) => [name, slope(name)])) };
}
