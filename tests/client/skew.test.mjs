/** A visitor's clock that is wrong: in a page with a clock of its own, and a service that lives in the present. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  call,
  eventsOf,
  KEY,
  makeClient,
  openTab,
  settle,
  setVisibility,
  startPages,
  until,
} from "../support/client-pages.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { makeToken } from "../support/service.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const CLOCKS = { "an hour behind": -HOUR_MS, "an hour ahead": HOUR_MS };

const pages = await startPages();
after(pages.close);

/** A page whose clock is wrong by `aheadMs`, and a client of a service that is right. */
async function setUp(t, aheadMs, options = {}) {
  const service = await startTimedService(options);
  const context = await pages.browser.newContext();
  t.after(async () => {
    await context.close();
    await service.close();
  });
  await context.clock.install({ time: Date.now() + aheadMs });
  const page = await openTab(context, pages.site.origin);
  await makeClient(page, { baseUrl: service.baseUrl, challenge: "every-request" });
  /** As a later visit finds it: a token of so long ago, with so long to go, by the server's clock. */
  const store = (agoMs, toGoMs) =>
    page.evaluate(
      ([key, text]) => localStorage.setItem(key, text),
      [
        KEY,
        JSON.stringify({
          token: makeToken({ sub: "anon_before", iat: Math.floor((Date.now() - agoMs) / 1000) }),
          expiresAt: new Date(Date.now() + toGoMs).toISOString(),
        }),
      ],
    );
  return { service, page, store };
}

for (const [clock, aheadMs] of Object.entries(CLOCKS)) {
  describe(`a clock that is ${clock}`, () => {
    for (const hideDate of [false, true]) {
      const how = hideDate ? "though the server's Date cannot be read" : "by the server's Date";
      test(`a session of ten minutes holds as long as it does, ${how}`, async (t) => {
        const { service, page } = await setUp(t, aheadMs, { lifetimeMs: 10 * MINUTE_MS, hideDate });
        const first = await call(page, "session");
        assert.deepEqual(await call(page, "session"), first);
        assert.equal(service.requests.length, 2);
        // The page's clock advances; the server's clock is stopped for a moment.
        await page.clock.runFor(9 * MINUTE_MS);
        assert.deepEqual(await call(page, "session"), first);
        await until("the renewal in the background", () => service.requests.length === 4);
        assert.equal(service.requests.at(-1).headers.authorization, `Bearer ${first.token}`);
      });
    }

    test("a solution is kept as long as it is good, and not longer", async (t) => {
      const { service, page } = await setUp(t, aheadMs, { challengeMs: 5 * MINUTE_MS });
      const first = await call(page, "challengeHeaders");
      await until("the next", () => service.requests.length === 2);
      const second = await call(page, "challengeHeaders");
      assert.notDeepEqual(second, first);
      await until("the one after", () => service.requests.length === 3);
      await settle(1_000);
      await page.clock.runFor(4 * MINUTE_MS);
      await settle();
      assert.equal(service.requests.length, 3, "good for half a minute more");
      await page.clock.runFor(MINUTE_MS / 2);
      await until("the replacement", () => service.requests.length === 4);
    });

    test("a stored session with days to go is used, and nothing is asked", async (t) => {
      const { service, page, store } = await setUp(t, aheadMs);
      await store(10 * DAY_MS, 20 * DAY_MS);
      assert.equal((await call(page, "session")).userId, "anon_before");
      assert.equal(service.requests.length, 0);
    });

    test("a stored session that has just ended is not: the visitor gets a new one in time", async (t) => {
      const { service, page, store } = await setUp(t, aheadMs);
      await store(30 * DAY_MS + MINUTE_MS, -MINUTE_MS);
      assert.ok((await call(page, "session")).token);
      assert.deepEqual(service.asked(), ["challenge", "session"]);
    });
  });

  test(`the reference server and a clock that is ${clock}: session, chat, a second visit`, async (t) => {
    const server = await startServer({ INKEEP_ANON_SESSION_LIFETIME_SECONDS: "600" });
    const context = await pages.browser.newContext();
    t.after(async () => {
      await context.close();
      await server.stop();
    });
    await context.clock.install({ time: Date.now() + aheadMs });
    const page = await openTab(context, pages.site.origin);
    const options = { baseUrl: server.baseUrl, appId: DEMO_APP_ID };
    await makeClient(page, options);
    const first = await call(page, "session");
    assert.match(String(first.userId), /^anon_/, first.message);
    assert.deepEqual(await call(page, "session"), first);
    const status = await page.evaluate(async () => {
      const body = JSON.stringify({ messages: [{ role: "user", content: "Ahoy" }], stream: false });
      const headers = { "content-type": "application/json" };
      return (await client.fetch("/run/api/chat", { method: "POST", headers, body })).status;
    });
    assert.equal(status, 200);
    await makeClient(page, options);
    assert.equal((await call(page, "session")).userId, first.userId);
    await settle(0);
    assert.deepEqual(await eventsOf(page, "warning"), []);
  });
}

describe("a clock that is put back while the page is open", () => {
  for (const hideDate of [false, true]) {
    test(`makes no session last longer, ${hideDate ? "stored" : "fresh"}`, async (t) => {
      const { service, page } = await setUp(t, 0, { lifetimeMs: 10 * MINUTE_MS, hideDate });
      const first = await call(page, "session");
      // As a later visit finds it, whom no server has told the time.
      if (hideDate) await makeClient(page, { baseUrl: service.baseUrl });
      assert.deepEqual(await call(page, "session"), first);
      await page.clock.setSystemTime(Date.now() - HOUR_MS);
      assert.deepEqual(await call(page, "session"), first);
      await setVisibility(page, "hidden");
      await page.clock.runFor(9.6 * MINUTE_MS);
      assert.notEqual((await call(page, "session")).token, first.token);
      assert.equal(service.asked().filter((name) => name === "session").length, 2);
    });
  }
});
