/** A session is renewed in time, by everything that can tell the time: in a page whose clock the test turns. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  call,
  eventsOf,
  makeClient,
  openTab,
  settle,
  setVisibility,
  startPages,
  until,
} from "../support/client-pages.mjs";
import { problem } from "../support/service.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START = Date.parse("2031-02-03T04:05:06Z");

const pages = await startPages();
after(pages.close);

/** A client in a page; its clock and the server's go together: `pass(ms)`, or at one leap as in sleep, `sleep(ms)`. */
async function setUp(t, options = {}) {
  let elapsedMs = 0;
  const service = await startTimedService({ now: () => START + elapsedMs, ...options });
  const context = await pages.browser.newContext();
  t.after(async () => {
    await context.close();
    await service.close();
  });
  await context.clock.install({ time: START });
  const page = await openTab(context, pages.site.origin);
  await page.clock.pauseAt(START + MINUTE_MS);
  elapsedMs = MINUTE_MS;
  await makeClient(page, { baseUrl: service.baseUrl });
  const pass = async (ms) => {
    elapsedMs += ms;
    await page.clock.runFor(ms);
  };
  const sleep = async (ms) => {
    elapsedMs += ms;
    await page.clock.setSystemTime(START + elapsedMs);
  };
  const renewals = () => service.requests.filter(({ name }) => name === "session").length - 1;
  const renewed = (count) => until(`${count} renewals`, () => renewals() >= count);
  return { service, page, pass, sleep, renewals, renewed };
}

/** From now on the service is in trouble. */
const fail = (service, made = problem(403)) => {
  service.routes.challenge = async () => made;
};

describe("by timer", () => {
  test("half a minute before the end, and not sooner; the visitor stays who they are", async (t) => {
    const { service, page, pass, renewals, renewed } = await setUp(t, { lifetimeMs: 10 * MINUTE_MS });
    const first = await call(page, "session");
    await pass(9.5 * MINUTE_MS - 2_000);
    await settle();
    assert.equal(renewals(), 0);
    await pass(4_000);
    await renewed(1);
    assert.equal(service.requests.at(-1).headers.authorization, `Bearer ${first.token}`);
    await until("the event", async () => (await eventsOf(page, "ready")).length === 2);
    const second = await call(page, "session");
    assert.equal(second.userId, first.userId);
    assert.notEqual(second.token, first.token);
    assert.equal(renewals(), 1, "nobody had to wait for it");
  });

  test("a session that outlives every timer (2^31 ms are 25 days) is left alone until then", async (t) => {
    const { page, pass, renewals, renewed } = await setUp(t, { lifetimeMs: 60 * DAY_MS });
    await call(page, "session");
    await pass(1_000);
    await settle();
    assert.equal(renewals(), 0, "a timer that overflows fires at once");
    for (let day = 0; day < 59; day += 1) await pass(DAY_MS);
    assert.equal(renewals(), 0);
    await pass(DAY_MS - 20_000);
    await renewed(1);
  });

  test("again and again", async (t) => {
    const { page, pass, renewed } = await setUp(t, { lifetimeMs: 5 * MINUTE_MS });
    await call(page, "session");
    for (let round = 1; round <= 3; round += 1) {
      await pass(4.6 * MINUTE_MS);
      await renewed(round);
      await until("the event", async () => (await eventsOf(page, "ready")).length === round + 1);
      // A session that nobody uses is not renewed a second time.
      await call(page, "session");
    }
  });

  test("though the clock is finer than timers are, which come early by the part of a millisecond", async (t) => {
    const { page, pass, renewed } = await setUp(t, { lifetimeMs: 10 * MINUTE_MS });
    await page.evaluate(() => {
      const { setItem } = Storage.prototype;
      const { setTimeout } = globalThis;
      // As browsers have it: the delay is a whole number.
      globalThis.setTimeout = (run, ms, ...rest) => setTimeout(run, Math.trunc(ms), ...rest);
      const now = performance.now.bind(performance);
      let passed = 0;
      performance.now = () => now() + passed;
      // Time passes between the response, which has the server's time, and the start of the timer.
      Storage.prototype.setItem = function (...entry) {
        passed += 0.4;
        setItem.apply(this, entry);
      };
    });
    await call(page, "session");
    await pass(9.6 * MINUTE_MS);
    await renewed(1);
  });

  test("not in a hidden tab; when it is looked at again", async (t) => {
    const { page, pass, renewals, renewed } = await setUp(t, { lifetimeMs: 10 * MINUTE_MS });
    await call(page, "session");
    await setVisibility(page, "hidden");
    await pass(20 * MINUTE_MS);
    await settle();
    assert.equal(renewals(), 0);
    await setVisibility(page, "visible");
    await renewed(1);
  });
});

describe("on use", () => {
  test("a session that ended while the machine slept is renewed before it is given out", async (t) => {
    const { service, page, sleep } = await setUp(t, { lifetimeMs: 10 * MINUTE_MS });
    const first = await call(page, "session");
    await sleep(9.8 * MINUTE_MS);
    const headers = await call(page, "headers");
    assert.notEqual(headers.Authorization, `Bearer ${first.token}`);
    assert.equal(service.requests.at(-1).headers.authorization, `Bearer ${first.token}`);
    assert.equal((await call(page, "session")).userId, first.userId);
  });
});

describe("on visibilitychange", () => {
  test("after sleep a session that has ended meanwhile is renewed, and one that has not is left", async (t) => {
    const { page, sleep, renewals, renewed } = await setUp(t, { lifetimeMs: DAY_MS });
    await call(page, "session");
    await setVisibility(page, "hidden");
    await sleep(DAY_MS / 2);
    await setVisibility(page, "visible");
    await settle();
    assert.equal(renewals(), 0);
    await setVisibility(page, "hidden");
    await sleep(DAY_MS / 2);
    await settle();
    assert.equal(renewals(), 0);
    await setVisibility(page, "visible");
    await renewed(1);
  });
});

describe("at the caller's word", () => {
  test("a new token for the same visitor, whatever is left of the old one", async (t) => {
    const { service, page } = await setUp(t);
    const first = await call(page, "session");
    const second = await call(page, "refresh");
    assert.notEqual(second.token, first.token);
    assert.equal(second.userId, first.userId);
    assert.deepEqual(await call(page, "session"), second);
    assert.equal(service.requests.length, 4);
  });

  test("as the first call of a visit it renews what an earlier one stored", async (t) => {
    const { service, page } = await setUp(t);
    const first = await call(page, "session");
    await makeClient(page, { baseUrl: service.baseUrl });
    const second = await call(page, "refresh");
    assert.notEqual(second.token, first.token);
    assert.equal(second.userId, first.userId);
  });

  test("two at the same time are one", async (t) => {
    const { service, page } = await setUp(t);
    await call(page, "session");
    const both = await Promise.all([call(page, "refresh"), call(page, "refresh")]);
    assert.deepEqual(both[0], both[1]);
    assert.equal(service.requests.length, 4);
  });
});

describe("a renewal that fails", () => {
  test("leaves the old token in use until it ends, and not a moment longer", async (t) => {
    const { service, page, pass, sleep } = await setUp(t, { lifetimeMs: 10 * MINUTE_MS });
    const first = await call(page, "session");
    fail(service);
    await pass(9.5 * MINUTE_MS + 1_000);
    await until("the warning", async () => (await eventsOf(page, "warning")).length === 1);
    const [{ code, message }] = await eventsOf(page, "warning");
    assert.equal(code, "refresh_failed");
    assert.match(
      message,
      /^The session could not be renewed and is used until it expires: The app does not allow this origin/,
    );
    assert.deepEqual(await call(page, "session"), first);
    assert.deepEqual(await call(page, "refresh"), first);
    await sleep(30_000);
    assert.equal((await call(page, "session")).code, "origin_not_allowed");
  });

  test("is not repeated with every call", async (t) => {
    const { service, page, pass } = await setUp(t, { lifetimeMs: 10 * MINUTE_MS });
    await call(page, "session");
    fail(service);
    await pass(9.5 * MINUTE_MS + 1_000);
    await until("the warning", async () => (await eventsOf(page, "warning")).length === 1);
    const asked = service.requests.length;
    for (let i = 0; i < 20; i += 1) await call(page, "session");
    assert.equal(service.requests.length, asked);
    for (let i = 0; i < 20; i += 1) {
      await setVisibility(page, "hidden");
      await setVisibility(page, "visible");
    }
    assert.equal(service.requests.length, asked);
    for (let second = 0; second < 120; second += 1) await pass(1_000);
    await settle();
    assert.ok(service.requests.length - asked <= 3, `${service.requests.length - asked} more in two minutes`);
  });

  test("is not repeated before the time that the server asks for; a call without a valid session is", async (t) => {
    const { service, page, pass } = await setUp(t, { lifetimeMs: 10 * MINUTE_MS });
    const first = await call(page, "session");
    fail(service, { ...problem(429), headers: { "retry-after": "3600" } });
    await pass(9.5 * MINUTE_MS + 1_000);
    await until("the warning", async () => (await eventsOf(page, "warning")).length === 1);
    const asked = service.requests.length;
    for (let second = 0; second < 25; second += 1) await pass(1_000);
    assert.deepEqual(await call(page, "session"), first);
    await settle();
    assert.equal(service.requests.length, asked);
    for (let minute = 0; minute < 5; minute += 1) {
      await pass(MINUTE_MS);
      await setVisibility(page, "hidden");
      await setVisibility(page, "visible");
    }
    await settle();
    assert.equal(service.requests.length, asked);
    assert.equal((await call(page, "session")).code, "rate_limited");
    assert.equal(service.requests.length, asked + 1);
  });

  test("is repeated less and less often, until a request succeeds", async (t) => {
    const { service, page, pass } = await setUp(t, { lifetimeMs: 10 * MINUTE_MS });
    await call(page, "session");
    const { challenge } = service.routes;
    fail(service);
    const asked = service.requests.length;
    /** Passes the time, in which the visitor returns to the tab every 20 s; returns how often the page has asked. */
    const visits = async (ms) => {
      const before = service.requests.length;
      for (let passedMs = 0; passedMs < ms; passedMs += 20_000) {
        await pass(20_000);
        await setVisibility(page, "hidden");
        await setVisibility(page, "visible");
        await settle(50);
      }
      return service.requests.length - before;
    };
    assert.equal(await visits(9 * MINUTE_MS), 0);
    const attempts = await visits(20 * MINUTE_MS);
    assert.ok(attempts >= 5 && attempts <= 12, `${attempts} attempts in 20 minutes`);
    assert.ok((await visits(20 * MINUTE_MS)) <= 3, "10 minutes between two attempts");
    service.routes.challenge = challenge;
    await call(page, "session");
    fail(service);
    const begun = service.requests.length;
    await pass(9.5 * MINUTE_MS + 1_000);
    await until("the first attempt", () => service.requests.length === begun + 1);
    await settle();
    await pass(11_000);
    await until("the second attempt", () => service.requests.length === begun + 2);
    assert.ok(begun > asked);
  });

  test("is made good by the next, for the same visitor", async (t) => {
    const { service, page, pass } = await setUp(t, { lifetimeMs: 10 * MINUTE_MS });
    const first = await call(page, "session");
    const { challenge } = service.routes;
    fail(service);
    await pass(9.5 * MINUTE_MS + 1_000);
    await until("the warning", async () => (await eventsOf(page, "warning")).length === 1);
    service.routes.challenge = challenge;
    await pass(11_000);
    await until("the session", async () => (await eventsOf(page, "ready")).length === 2);
    const second = await call(page, "session");
    assert.notEqual(second.token, first.token);
    assert.equal(second.userId, first.userId);
  });
});
