/**
 * A page and a service of different origins, as every embedded widget has: the browser sends a preflight before the session
 * request, and the visitor must not wait for it.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { call, eventsOf, makeClient, openTab, startPages, until } from "../support/client-pages.mjs";
import { faults, heldUntil, startProxy, withHeaders } from "../support/fault-proxy.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";

const [pages, server] = await Promise.all([
  startPages(),
  startServer({
    INKEEP_POW_HMAC_SECRET: "a key for the tests of preflights only",
    SALTMINE_POW_VERSION: "1",
  }),
]);
after(async () => {
  await pages.close();
  await server.stop();
});

/** A tab with a client; `since(count)` are the names of the requests to the service after the first `count`, sorted. */
async function setUp(t, options = {}) {
  const proxy = await startProxy(server.baseUrl);
  const context = await pages.browser.newContext();
  t.after(async () => {
    await context.close();
    await proxy.close();
  });
  const open = async () => {
    const page = await openTab(context, pages.site.origin);
    await makeClient(page, { baseUrl: proxy.baseUrl, appId: DEMO_APP_ID, ...options });
    return page;
  };
  return { proxy, open, page: await open(), since: (count) => proxy.asked.slice(count).sort() };
}

test("the preflight of the first session request does not wait for the challenge", async (t) => {
  const { proxy, page } = await setUp(t);
  // The request ahead and its preflight: both before the challenge, which waits for them.
  const ahead = () => proxy.asked.filter((name) => name === "ahead").length;
  proxy.break(
    "challenge",
    heldUntil(() => ahead() === 2),
  );
  assert.ok((await call(page, "session")).token);
  assert.deepEqual([...proxy.asked].sort(), ["ahead", "ahead", "challenge", "session"]);
});

test("a renewal and a later page use the preflight that the browser has cached", async (t) => {
  const { proxy, page, open, since } = await setUp(t);
  const ahead = (times) =>
    until("both", () => proxy.asked.filter((name) => name === "ahead").length === times);
  const { token } = await call(page, "session");
  await ahead(2);
  let before = proxy.asked.length;
  assert.notEqual((await call(page, "refresh")).token, undefined);
  assert.deepEqual(since(before), ["challenge", "session"]);
  await page.evaluate((key) => localStorage.removeItem(key), `inkeep_session_${DEMO_APP_ID}`);
  await page.close();

  before = proxy.asked.length;
  const later = await open();
  assert.notEqual((await call(later, "session")).token, token);
  await ahead(3);
  assert.deepEqual(since(before), ["ahead", "challenge", "session"]);
});

test("a preflight that is lost does not delay the session", async (t) => {
  const { proxy, page } = await setUp(t);
  proxy.break("ahead", faults.cutAfterRequest, 1);
  assert.ok((await call(page, "session")).token);
  assert.deepEqual(
    (await eventsOf(page, "state")).map(({ state }) => state).filter((state) => state === "waiting"),
    [],
  );
});

test("a service whose preflight does not allow OPTIONS gives a session", async (t) => {
  const { proxy, page } = await setUp(t);
  proxy.break("ahead", withHeaders({ "access-control-allow-methods": "GET, POST" }));
  assert.ok((await call(page, "session")).token);
  assert.deepEqual([...proxy.asked].sort(), ["ahead", "challenge", "session", "session preflight"]);
});

test("none is sent for a solution alone, and none to the page's own origin", async (t) => {
  const { proxy, page } = await setUp(t);
  assert.ok((await call(page, "challengeHeaders"))["X-Inkeep-Challenge-Solution"]);

  const methods = [];
  page.on("request", (request) => methods.push(request.method()));
  await makeClient(page, { baseUrl: pages.site.origin, appId: DEMO_APP_ID });
  assert.equal((await call(page, "session")).code, "app_not_found");
  assert.ok(methods.includes("POST"), String(methods));
  assert.ok(!methods.includes("OPTIONS"), String(methods));
  // Of the solution, and of the next one, which is prepared.
  assert.ok(
    proxy.asked.every((name) => name === "challenge"),
    String(proxy.asked),
  );
});
