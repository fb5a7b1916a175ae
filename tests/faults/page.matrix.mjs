/** Pages that are offline, asleep, frozen, or one of many. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { eventsOf, hasSearched, settle, until } from "../support/client-pages.mjs";
import { instead, late } from "../support/fault-proxy.mjs";
import { makeChallenge } from "../support/service.mjs";
import {
  assertEnds,
  assertLeavesNothing,
  begin,
  DEEP,
  DEEP_MS,
  deepChallenge,
  ending,
  REPEATS_MS,
  setUp,
  SLACK_MS,
  startStage,
} from "./stage.mjs";

// Shorter than two hours of sleep, and longer than any row: a renewal would be one more request.
const stage = await startStage({ env: { INKEEP_ANON_SESSION_LIFETIME_SECONDS: "3600" } });
after(stage.close);

const HOUR_MS = 3_600_000;

test("the watch sees what is unhandled or red, in the page and in its worker", async (t) => {
  const { page, complaints } = await setUp(t, stage);
  assertEnds(await ending(page), "token", SLACK_MS);
  const shout = () => {
    console.error("an error on the console");
    void Promise.reject(new Error("an unhandled rejection"));
  };
  await page.workers()[0].evaluate(shout);
  await page.evaluate(shout);
  await page.evaluate(() => setTimeout(() => Promise.reject(new Error("later")).finally(() => {})));
  await until("all of it", () => complaints.length >= 5);
  assert.deepEqual([...complaints].sort(), [
    "Error: an unhandled rejection",
    "Error: an unhandled rejection",
    "Error: later",
    "an error on the console",
    "an error on the console",
  ]);
  assert.ok((await page.evaluate(() => unhandled)).length > 0);
  await assert.rejects(assertLeavesNothing(page, complaints));
});

describe("offline, and online again", { concurrency: 4 }, () => {
  test("from the first call on: an error, and then a token from a worker", async (t) => {
    const { page, context, complaints } = await setUp(t, stage);
    await context.setOffline(true);
    assertEnds(await ending(page), "network", SLACK_MS);
    await context.setOffline(false);
    assertEnds(await ending(page), "token", SLACK_MS);
    assert.equal((await eventsOf(page, "ready")).at(-1).backend.thread, "worker");
    await assertLeavesNothing(page, complaints);
  });

  for (const [what, switchTo] of [
    ["the browser", ({ context }, on) => context.setOffline(on)],
    ["the server", ({ proxy }, on) => proxy.offline(on)],
  ]) {
    test(`${what}, with an engine that runs: network after three repeats, and then a token`, async (t) => {
      const row = await setUp(t, stage);
      const { page, proxy, complaints } = row;
      assertEnds(await ending(page), "token", SLACK_MS);
      await page.evaluate(() => client.signOut());
      await switchTo(row, true);
      const before = proxy.asked.length;
      assertEnds(await ending(page), "network", REPEATS_MS + SLACK_MS);
      assert.equal(proxy.asked.length, before);
      await switchTo(row, false);
      assertEnds(await ending(page), "token", SLACK_MS);
      await assertLeavesNothing(page, complaints);
    });

    test(`${what}, from mid-search until the first repeat: a token`, async (t) => {
      const row = await setUp(t, stage, { maxNumber: 2 * DEEP });
      const { page, proxy, complaints } = row;
      proxy.break("challenge", instead(deepChallenge(DEEP)), 1);
      const call = begin(page);
      await until("the search", () => hasSearched(page));
      await switchTo(row, true);
      // The longest of the random waits, so that there is time to come back.
      await page.workers()[0].evaluate(() => {
        Math.random = () => 0.99;
      });
      await until(
        "a repeat",
        async () => (await eventsOf(page, "state")).some(({ state }) => state === "waiting"),
        DEEP_MS,
      );
      await switchTo(row, false);
      assertEnds(await call.end, "token", DEEP_MS + REPEATS_MS + SLACK_MS);
      await assertLeavesNothing(page, complaints);
    });

    test(`${what}, with a session: it is used, calls fail as fetch does, and work again`, async (t) => {
      const row = await setUp(t, stage);
      const { page, complaints } = row;
      const { session } = await ending(page);
      // The first one loads the code that fetch() needs.
      assert.equal((await ending(page, "fetch", "/run/v1/conversations")).status, 200);
      await switchTo(row, true);
      assert.deepEqual((await ending(page)).session, session);
      // A renewal that fails keeps the session, which is still valid.
      assert.deepEqual((await ending(page, "refresh")).session, session);
      assert.deepEqual(
        (await eventsOf(page, "warning")).map(({ code }) => code),
        ["refresh_failed"],
      );
      assert.equal((await ending(page, "fetch", "/run/v1/conversations")).error.name, "TypeError");
      await switchTo(row, false);
      assert.equal((await ending(page, "fetch", "/run/v1/conversations")).status, 200);
      assert.notDeepEqual((await ending(page, "refresh")).session, session);
      await assertLeavesNothing(page, complaints);
    });
  }
});

/** A clock that is set while the page or its worker looks away. */
const jump = (ms) => {
  const { now } = Date;
  const monotonic = performance.now.bind(performance);
  Date.now = () => now() + ms;
  performance.now = () => monotonic() + Math.max(0, ms);
};

describe("a laptop that sleeps", { concurrency: 4 }, () => {
  for (const [what, ms] of [
    ["two hours on", 2 * HOUR_MS],
    ["an hour back", -HOUR_MS],
  ])
    for (const [stop, route] of [
      ["while the challenge is awaited", "challenge"],
      ["in mid-search", undefined],
      ["while the session is awaited", "session"],
    ])
      test(`${stop}, and whose clock is ${what} then: a token`, async (t) => {
        const { page, proxy, complaints } = await setUp(t, stage, { maxNumber: 2 * DEEP });
        if (route) proxy.break(route, late(8_000), 1);
        else proxy.break("challenge", instead(deepChallenge(DEEP)), 1);
        const call = begin(page);
        await until("a worker", () => page.workers().length > 0);
        await until("the stage", async () => (route ? proxy.asked.includes(route) : hasSearched(page)));
        await page.workers()[0].evaluate(jump, ms);
        await page.evaluate(jump, ms);
        assertEnds(await call.end, "token", DEEP_MS + 8_000 + SLACK_MS);
        const { session } = await call.end;
        // The new clock is known by now.
        assert.deepEqual((await ending(page)).session, session);
        await assertLeavesNothing(page, complaints);
      });

  test("two hours with a session, and wakes: a new one without a call", async (t) => {
    const { page, proxy, complaints } = await setUp(
      t,
      stage,
      {},
      { before: (context) => context.clock.install() },
    );
    const first = (await ending(page)).session;
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    });
    // Timers that are due come once, and find nobody looking.
    await page.clock.fastForward(2 * HOUR_MS);
    assert.equal(proxy.asked.filter((name) => name === "session").length, 1);
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await until("the renewal", async () => (await eventsOf(page, "ready")).length === 2, SLACK_MS);
    // By the server's clock it may be the same second, and so the same token.
    assert.equal((await ending(page)).session.userId, first.userId);
    assert.equal(proxy.asked.filter((name) => name === "session").length, 2);
    await assertLeavesNothing(page, complaints);
  });
});

test("a browser whose processes stop in mid-search until the challenge has run out: a token", async (t) => {
  const { page, proxy, complaints } = await setUp(t, stage, { maxNumber: 2 * DEEP });
  const LIFE_MS = 6_000;
  const challenge = () =>
    makeChallenge({ number: DEEP, maxNumber: 2 * DEEP, expires: new Date(Date.now() + LIFE_MS) });
  proxy.break("challenge", instead(challenge), 1);
  const call = begin(page);
  await until("the search", () => hasSearched(page));
  const cdp = await stage.browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  for (const id of renderers) process.kill(id, "SIGSTOP");
  await settle(LIFE_MS);
  for (const id of renderers) process.kill(id, "SIGCONT");
  assertEnds(await call.end, "token", LIFE_MS + 2 * DEEP_MS);
  assert.equal(proxy.asked.filter((name) => name === "challenge").length, 2);
  await assertLeavesNothing(page, complaints);
});

describe("fifty clients on one page", () => {
  for (const [storage, identities] of [
    ["memory", 50],
    ["local", 1],
  ])
    test(`that keep their sessions in ${storage}: ${identities} of them, and a worker each at most`, async (t) => {
      const { page, proxy, options, complaints } = await setUp(t, stage);
      let most = 0;
      page.on("worker", () => {
        most = Math.max(most, page.workers().length);
      });
      const began = performance.now();
      const users = await page.evaluate(
        async (options) => {
          globalThis.many = Array.from({ length: 50 }, () => make(options));
          const sessions = await Promise.all(many.map((client) => client.session()));
          return sessions.map(({ userId }) => userId);
        },
        { ...options, storage },
      );
      assert.ok(performance.now() - began < 120_000);
      assert.equal(users.length, 50);
      assert.equal(new Set(users).size, identities);
      assert.equal(proxy.asked.filter((name) => name === "session").length, identities);
      assert.ok(most <= identities, `${most} workers`);
      await page.evaluate(() => many.forEach((client) => client.dispose()));
      await assertLeavesNothing(page, complaints, 20_000);
    });
});
