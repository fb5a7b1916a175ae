/**
 * What every row of the fault matrix stands on: a page with the packed package, a proxy that breaks things, and behind
 * it the reference server. Each row ends in a token or in an error with its code, in limited time, and leaves the
 * console clean and no worker behind.
 */
import assert from "node:assert/strict";
import { workersGone } from "../support/browser.mjs";
import { makeClient, openTab, startPages } from "../support/client-pages.mjs";
import { startProxy } from "../support/fault-proxy.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { HMAC_KEY, makeChallenge } from "../support/service.mjs";

/** What a row has beside the waits that it states: the start of a worker, and a busy machine. */
export const SLACK_MS = 6_000;
/** The waits before three repeats, at most. */
export const REPEATS_MS = 3_500;

/** The site, the browser and the server that the rows of a file share. */
export async function startStage({ env = {}, ...options } = {}) {
  const [pages, server] = await Promise.all([
    startPages(options),
    startServer({ INKEEP_POW_HMAC_SECRET: HMAC_KEY, ...env }),
  ]);
  return {
    ...pages,
    server,
    close: async () => {
      await pages.close();
      await server.stop();
    },
  };
}

/** A page of a row's own, with a client behind a proxy of its own. */
export async function setUp(t, stage, clientOptions = {}, { before } = {}) {
  const proxy = await startProxy(stage.server.baseUrl);
  const context = await stage.browser.newContext();
  t.after(async () => {
    await context.close();
    await proxy.close();
  });
  const complaints = watch(context, proxy.baseUrl);
  await before?.(context);
  const options = { baseUrl: proxy.baseUrl, appId: DEMO_APP_ID, ...clientOptions };
  const page = await openTab(context, stage.site.origin);
  await page.evaluate(() => {
    globalThis.unhandled = [];
    addEventListener("unhandledrejection", ({ reason }) => unhandled.push(String(reason)));
  });
  await makeClient(page, options);
  return { proxy, context, page, options, complaints };
}

/**
 * What shows up red in the pages and their workers, but for the lines that Chromium itself writes about a request to
 * the proxy that it could not make: no page can avoid those.
 */
export function watch(context, origin) {
  const complaints = [];
  const isChromiums = (text, url) =>
    (url.startsWith(`${origin}/`) && /^Failed to load resource: /.test(text)) ||
    (text.startsWith(`Access to fetch at '${origin}/`) && / has been blocked by CORS policy: /.test(text));
  context.on("console", (message) => {
    if (!/^(error|warning|assert)$/.test(message.type())) return;
    if (!isChromiums(message.text(), message.location().url)) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  return complaints;
}

/**
 * What a call of the page's client ends with: `{ ms, session }`, `{ ms, status, text }` of a `fetch`, or `{ ms, error }`.
 * Measured here: a page's clock may be what is tampered with.
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
export async function assertLeavesNothing(page, complaints) {
  await page.evaluate(() => client.dispose());
  await workersGone(page, 2_000);
  assert.deepEqual(complaints, []);
  assert.deepEqual(await page.evaluate(() => unhandled), []);
}

/** A challenge of the server's own making, as far as it can tell, whose number lies deep: there is a mid-search. */
export const deepChallenge = (number) => () => makeChallenge({ number, maxNumber: Math.ceil(number * 1.1) });
