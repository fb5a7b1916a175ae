/**
 * The setup of every row of the fault matrix: a page with the packed package, a proxy that causes the faults, and the
 * reference server behind it. Each row ends in a token or in an error with its code, in limited time, with nothing in
 * the console and no worker left.
 */
import assert from "node:assert/strict";
import { workersGone } from "../support/browser.mjs";
import { eventsOf, makeClient, openTab, startPages } from "../support/client-pages.mjs";
import { startProxy } from "../support/fault-proxy.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { HMAC_KEY, makeChallenge } from "../support/service.mjs";

/** The time that a row has beside the waits that it states: for the start of a worker, and a busy machine. */
export const SLACK_MS = 20_000;
/** The waits before three repeats, at most. */
export const REPEATS_MS = 3_500;
/** A number so large that its search takes a second or more, and how long the search may take. */
export const DEEP = 40_000_000;
export const DEEP_MS = 60_000;

/** The site, the browser and the server that the rows of a file share. */
export async function startStage({ env = {}, ...options } = {}) {
  const [pages, server] = await Promise.all([
    startPages(options),
    // The rows replace its challenges by ones of version 1.
    startServer({ INKEEP_POW_HMAC_SECRET: HMAC_KEY, SALTMINE_POW_VERSION: "1", ...env }),
  ]);
  return {
    ...pages,
    server,
    newContext: () => pages.browser.newContext(),
    close: async () => {
      await pages.close();
      await server.stop();
    },
  };
}

/** A page of a row's own, with a client behind a proxy of its own. */
export async function setUp(t, stage, clientOptions = {}, { before } = {}) {
  const proxy = await startProxy(stage.server.baseUrl, { cachesPreflights: false });
  const context = await stage.newContext();
  t.after(async () => {
    await context.close();
    await proxy.close();
  });
  await before?.(context);
  const options = { baseUrl: proxy.baseUrl, appId: DEMO_APP_ID, ...clientOptions };
  const page = await openTab(context, stage.site.origin);
  const complaints = watch(page, proxy.baseUrl, stage.site.origin);
  await page.evaluate(() => {
    globalThis.unhandled = [];
    addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
  });
  await makeClient(page, options);
  return { proxy, context, page, options, complaints };
}

/**
 * Records the errors in the console of a page and its workers, except the lines that Chromium itself writes about a
 * request to the proxy, or a file of the site, that it could not get: no page can avoid those.
 */
function watch(page, proxy, site) {
  const complaints = [];
  const isChromiums = (text, url) =>
    (/^Failed to load resource: /.test(text) &&
      [`${proxy}/run/`, `${site}/saltmine/`].some((its) => url.startsWith(its))) ||
    (text.startsWith(`Access to fetch at '${proxy}/run/`) && / has been blocked by CORS policy: /.test(text));
  page.on("console", (message) => {
    if (!/^(error|warn|warning|assert)$/.test(message.type())) return;
    if (!isChromiums(message.text(), message.location().url ?? "")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return complaints;
}

/**
 * Returns the result of a call of the page's client: `{ ms, session }`, `{ ms, status, text }` of a `fetch`, or
 * `{ ms, error }`. The time is measured here: the test may have changed the page's clock.
 */
export async function ending(page, method = "session", ...args) {
  const began = performance.now();
  const made = await page.evaluate(
    async ({ method, args }) => {
      try {
        const value = await client[method](...args);
        return value instanceof Response
          ? { status: value.status, text: await value.text() }
          : { session: value };
      } catch (error) {
        const { name, code, message, retryable, status } = error;
        return {
          error: { name, code, message, retryable, status, ours: error instanceof saltmine.SaltmineError },
        };
      }
    },
    { method, args },
  );
  return { ...made, ms: performance.now() - began };
}

/** A call of the page's client that something is done to: `over()` says whether it has ended, `end` with what. */
export function begin(page, ...call) {
  let over = false;
  const end = ending(page, ...call).finally(() => {
    over = true;
  });
  return { end, over: () => over };
}

/** The state that the client told last. */
export const stateOf = async (page) => (await eventsOf(page, "state")).at(-1)?.state;

/** The one thing that a row ends with: "token", or the code of a SaltmineError; within the row's limit. */
export function assertEnds({ session, error, ms }, expected, limitMs) {
  if (expected === "token") {
    assert.match(String(session?.token), /^[\w-]+\.[\w-]+\.[\w-]+$/, `${error?.code}: ${error?.message}`);
  } else {
    assert.equal(error?.code, expected, error?.message);
    assert.ok(error.ours, "it must be a SaltmineError");
    assert.match(error.message, /^[A-Z].{15,}\.( \(\w+\))?( — .+)?$/s);
  }
  assert.ok(ms < limitMs, `it took ${Math.round(ms)} ms, and may take ${limitMs}`);
}

/** The end of every row: nothing red, nothing unhandled, and after `dispose` no worker. */
export async function assertLeavesNothing(page, complaints, limitMs = 4_500) {
  await page.evaluate(() => client.dispose());
  await workersGone(page, limitMs);
  assert.deepEqual(complaints, []);
  assert.deepEqual(await page.evaluate(() => unhandled), []);
}

/** A challenge that the server accepts as its own, with a number so large that a test can act during its search. */
export const deepChallenge = (number) => () => makeChallenge({ number, maxNumber: Math.ceil(number * 1.1) });
