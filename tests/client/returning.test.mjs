/** A visitor who comes back keeps their identity: pages and a service whose clocks the test turns together. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  call,
  eventsOf,
  KEY,
  makeClient,
  openTab,
  settle,
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

/** A visitor with one browser profile: `visit(days)` comes back after so many days, with a new client. */
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
  const stored = () => page.evaluate((key) => JSON.parse(localStorage.getItem(key) ?? "{}").token, KEY);
  const sessions = () => service.asked().filter((name) => name === "session").length;
  const visit = async (days, { renews } = {}) => {
    elapsedMs += days * DAY_MS;
    await page.clock.setSystemTime(START + elapsedMs);
    await makeClient(page, { baseUrl: service.baseUrl });
    const before = await stored();
    const session = await call(page, "session");
    if (renews) await until("the renewal", async () => (await stored()) !== before);
    return session;
  };
  return { service, page, visit, stored, sessions };
}

describe("tokens of 30 days", () => {
  test("100 daily visits are one identity and at most 15 requests", async (t) => {
    const { visit, sessions, stored } = await setUp(t);
    const users = new Set([(await visit(0)).userId]);
    let age = 0;
    for (let day = 1; day < 100; day += 1) {
      age += 1;
      // Half an hour more than a day: no visit is exactly at half of the lifetime, where only milliseconds decide.
      const renews = age >= 15;
      const before = await stored();
      const session = await visit(1 + 1 / 48, { renews });
      assert.equal(session.token, before, "the stored session is returned at once");
      users.add(session.userId);
      if (renews) age = 0;
    }
    assert.equal(users.size, 1);
    assert.ok(sessions() <= 15, `${sessions()} requests`);
    assert.ok(sessions() >= 6, `${sessions()} requests: a visitor of 100 days needs more`);
  });

  test("visits every 20 days for a year are one identity", async (t) => {
    const { visit } = await setUp(t);
    const users = new Set([(await visit(0)).userId]);
    for (let day = 20; day <= 365; day += 20) users.add((await visit(20, { renews: true })).userId);
    assert.equal(users.size, 1);
  });

  test("a visit before half of the lifetime requests nothing", async (t) => {
    const { visit, service } = await setUp(t);
    await visit(0);
    const asked = service.requests.length;
    await visit(14);
    await settle();
    assert.equal(service.requests.length, asked);
  });

  test("the renewal takes place once, however often the session is asked for", async (t) => {
    const { visit, page, sessions } = await setUp(t);
    await visit(0);
    const before = sessions();
    await visit(20);
    await page.evaluate(() => Promise.all(Array.from({ length: 20 }, () => client.session())));
    await until("the renewal", () => sessions() > before);
    await settle();
    await page.evaluate(() => Promise.all(Array.from({ length: 20 }, () => client.session())));
    await settle();
    assert.equal(sessions(), before + 1);
  });

  test("a renewal that fails is silent, and the next visit tries again", async (t) => {
    const { visit, page, service, sessions } = await setUp(t);
    const first = await visit(0);
    const { challenge } = service.routes;
    service.routes.challenge = async () => problem(403);
    const asked = service.requests.length;
    await page.evaluate(() => events.splice(0));
    assert.deepEqual(await visit(20), first);
    await until("the attempt", () => service.requests.length > asked);
    await settle();
    assert.deepEqual(await call(page, "session"), first);
    await settle();
    assert.equal(service.requests.length, asked + 1);
    const events = (await eventsOf(page)).filter(({ state }) => state !== "ready");
    assert.deepEqual(
      events.map(({ type }) => type),
      ["ready"],
      "only the stored session is reported",
    );
    service.routes.challenge = challenge;
    const before = sessions();
    assert.equal((await visit(1, { renews: true })).userId, first.userId);
    assert.equal(sessions(), before + 1);
  });
});

test("a client that does not use its session renews it once, and not for ever", async (t) => {
  let elapsedMs = 0;
  const lifetimeMs = 10 * MINUTE_MS;
  const service = await startTimedService({ now: () => START + elapsedMs, lifetimeMs });
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
  const first = await call(page, "session");
  const sessions = () => service.asked().filter((name) => name === "session").length;
  const pass = async (ms) => {
    elapsedMs += ms;
    await page.clock.runFor(ms);
  };
  await pass(9.6 * MINUTE_MS);
  await until("the renewal", async () => (await eventsOf(page, "ready")).length === 2);
  for (let round = 0; round < 4; round += 1) {
    await pass(9.6 * MINUTE_MS);
    await settle();
  }
  assert.equal(sessions(), 2);
  assert.notEqual((await call(page, "session")).token, first.token);
  assert.equal(sessions(), 3);
});
