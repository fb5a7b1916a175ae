/** One visitor, many tabs: real pages of one Chromium profile. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  call,
  eventsOf,
  KEY,
  makeClient,
  openTab,
  setVisibility,
  settle,
  startPages,
  until,
} from "../support/client-pages.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { APP_ID, makeToken, problem } from "../support/service.mjs";
import { claimsOf, startTimedService } from "../support/timed-service.mjs";

const TABS = 10;
const HOUR_MS = 3_600_000;
const pages = await startPages();
after(pages.close);

/** Some tabs of a fresh profile, each with a client of a service. */
async function setUp(
  t,
  { count = TABS, origin = pages.site.origin, locks = true, clockAt, ...options } = {},
) {
  const service = await startTimedService(options);
  const context = await pages.browser.newContext();
  t.after(async () => {
    await context.close();
    await service.close();
  });
  if (!locks) await context.addInitScript(() => delete Navigator.prototype.locks);
  if (clockAt) await context.clock.install({ time: clockAt });
  const tabs = await openTabs(context, count, origin, { baseUrl: service.baseUrl });
  return { service, context, tabs };
}

const openTabs = (context, count, origin, options) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const tab = await openTab(context, origin);
      await makeClient(tab, options);
      return tab;
    }),
  );

const sessions = (tabs) => Promise.all(tabs.map((tab) => call(tab, "session")));
const usersOf = (found) => [...new Set(found.map(({ userId, message }) => userId ?? message))];
const delayed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Makes every session take a while, so that no tab is done before the others have begun. */
function slow(service, ms) {
  const { session } = service.routes;
  service.routes.session = async (request) => {
    const made = await session(request);
    await delayed(ms);
    return made;
  };
}

describe("ten tabs opened at once", () => {
  test("with Web Locks: one challenge, one session, one identity", async (t) => {
    const { service, tabs } = await setUp(t);
    assert.ok(await tabs[0].evaluate(() => "locks" in navigator));
    slow(service, 200);
    assert.equal(usersOf(await sessions(tabs)).length, 1);
    assert.deepEqual(service.asked(), ["challenge", "session"]);
    const sources = [];
    for (const tab of tabs) sources.push((await eventsOf(tab, "ready")).map(({ source }) => source).join());
    assert.deepEqual(sources.sort(), ["network", ...Array(TABS - 1).fill("storage")]);
  });

  for (const [name, setting] of [
    ["without Web Locks", { locks: false, count: 4 }],
    ["on a plain http page", { origin: pages.plainOrigin }],
  ]) {
    test(`${name}: they end with one identity, in the store and in every tab`, async (t) => {
      const { service, tabs } = await setUp(t, setting);
      assert.equal(await tabs[0].evaluate(() => Boolean(navigator.locks)), false);
      slow(service, 200);
      await sessions(tabs);
      await until("one identity", async () => usersOf(await sessions(tabs)).length === 1);
      const [{ token }] = await sessions(tabs);
      const stored = await tabs[0].evaluate((key) => JSON.parse(localStorage.getItem(key)).token, KEY);
      assert.equal(stored, token);
      const asked = service.requests.length;
      await settle();
      assert.equal(usersOf(await sessions(tabs)).length, 1, "and stay so");
      assert.equal(service.requests.length, asked, "nobody asks again");
      assert.ok(asked <= 2 * TABS, `${asked} requests`);
    });
  }

  for (const [name, aheadMs] of [
    ["an hour behind", -HOUR_MS],
    ["an hour ahead", HOUR_MS],
  ]) {
    test(`by a visitor whose clock is ${name}: one session all the same`, async (t) => {
      const { service, tabs } = await setUp(t, { count: 3, clockAt: Date.now() + aheadMs });
      assert.equal(usersOf(await sessions(tabs)).length, 1);
      assert.deepEqual(service.asked(), ["challenge", "session"]);
    });
  }

  test("of the reference server: one identity", async (t) => {
    const server = await startServer();
    const context = await pages.browser.newContext();
    t.after(async () => {
      await context.close();
      await server.stop();
    });
    const options = { baseUrl: server.baseUrl, appId: DEMO_APP_ID };
    const tabs = await openTabs(context, TABS, pages.site.origin, options);
    const users = usersOf(await sessions(tabs));
    assert.equal(users.length, 1);
    assert.match(users[0], /^anon_/);
  });
});

describe("a renewal in several tabs", () => {
  test("is one request, of the old token; all have the new one", async (t) => {
    const { service, tabs } = await setUp(t, { count: 3, lifetimeMs: 20_000 });
    const [old] = await sessions(tabs.slice(0, 1));
    service.time.lifetimeMs = HOUR_MS;
    const renewed = await sessions(tabs);
    assert.equal(new Set(renewed.map(({ token }) => token)).size, 1);
    assert.deepEqual(usersOf(renewed), [old.userId]);
    assert.equal(service.requests.length, 4);
    assert.equal(service.requests[3].headers.authorization, `Bearer ${old.token}`);
  });
});

describe("a renewal that fails in one tab", () => {
  for (const refused of [false, true])
    test(`returns the session that another tab has stored meanwhile${refused ? ": the old one was refused" : ""}`, async (t) => {
      const { service, tabs } = await setUp(t, { count: 2, locks: false });
      const [one, other] = tabs;
      const first = await call(one, "session");
      assert.deepEqual(await call(other, "session"), first);
      const { challenge } = service.routes;
      let release;
      const released = new Promise((resolve) => (release = resolve));
      service.routes.challenge = () => released.then(() => problem(403));
      const sent = [];
      await other.route("**/run/api/chat", async (route) => {
        sent.push(route.request().headers().authorization);
        const status = sent.length === 1 ? 401 : 200;
        await route.fulfill({ status, headers: { "access-control-allow-origin": "*" } });
      });
      const renewing = refused
        ? other.evaluate(() =>
            client.fetch("/run/api/chat").then(
              ({ status }) => status,
              ({ code }) => code,
            ),
          )
        : call(other, "refresh");
      await until("the request", () => service.asked().length === 3);
      service.routes.challenge = challenge;
      const second = await call(one, "refresh");
      await until("the event", async () => (await eventsOf(other, "ready")).length === 2);
      release();
      if (refused) {
        assert.equal(await renewing, 200);
        assert.deepEqual(sent, [`Bearer ${first.token}`, `Bearer ${second.token}`]);
      } else assert.deepEqual(await renewing, second);
      assert.deepEqual(await eventsOf(other, "warning"), []);
      assert.equal((await eventsOf(other, "state")).at(-1).state, "ready");
    });
});

/** Tabs whose clients are a signed-in user's; the global `user` of a tab is the user that its callback knows. */
async function setUpSignedIn(t, options = {}) {
  const { service, context } = await setUp(t, { count: 0 });
  const iat = Math.floor(Date.now() / 1000);
  const tokens = ["ann", "bob"].map((sub) => makeToken({ sub, iat, exp: iat + 3_600 }));
  const tabs = await openTabs(context, 2, pages.site.origin, { baseUrl: service.baseUrl });
  for (const tab of tabs)
    await tab.evaluate(
      ({ tokens, ...options }) => {
        globalThis.user = 0;
        globalThis.reasons = [];
        globalThis.client = make({
          ...options,
          getAuthToken: async ({ reason }) => {
            reasons.push(reason);
            const token = tokens[user];
            await globalThis.waiting;
            return token;
          },
        });
      },
      { baseUrl: service.baseUrl, appId: APP_ID, tokens, ...options },
    );
  return { tabs, tokens };
}

/** The first tab signs the user out; all callbacks know another user then. */
async function switchUser([one, ...others]) {
  for (const tab of [one, ...others]) await tab.evaluate(() => (globalThis.user = 1));
  await one.evaluate(() => client.signOut());
}

const signedOut = (tab) =>
  until("signed out", async () => (await eventsOf(tab, "state")).at(-1).state === "signed_out", 5_000);

describe("a signed-in user's sign-out", () => {
  test("reaches another tab; the next call there gets the new user's token", async (t) => {
    const { tabs, tokens } = await setUpSignedIn(t);
    assert.deepEqual(usersOf(await sessions(tabs)), ["ann"]);
    await switchUser(tabs);
    await signedOut(tabs[1]);
    assert.deepEqual(usersOf(await sessions(tabs)), ["bob"]);
    assert.deepEqual(await tabs[1].evaluate(() => reasons), ["session", "session"]);
    const stored = await tabs[0].evaluate(() => Object.entries(localStorage));
    assert.deepEqual(
      stored.map(([key]) => key),
      [`saltmine_signed_out_${APP_ID}`],
    );
    for (const token of tokens) assert.equal(stored.join().includes(token), false);
    // The new user's sign-out is another one.
    await switchUser(tabs);
    await signedOut(tabs[1]);
  });

  test("during the first call in another tab: it gets the new user's token", async (t) => {
    const { tabs } = await setUpSignedIn(t);
    const [one, other] = tabs;
    await call(one, "session");
    await other.evaluate(() => {
      globalThis.waiting = new Promise((resolve) => (globalThis.release = resolve));
    });
    const first = call(other, "session");
    await until("the callback", () => other.evaluate(() => reasons.length === 1));
    await switchUser(tabs);
    await other.evaluate(() => release());
    assert.equal((await first).userId, "bob");
    assert.deepEqual(await other.evaluate(() => reasons), ["session", "session"]);
  });

  test("before this tab has a session does not end the session that it gets then", async (t) => {
    const { tabs } = await setUpSignedIn(t);
    const [one, other] = tabs;
    await call(one, "session");
    await switchUser(tabs);
    const { userId } = await call(other, "session");
    assert.equal(userId, "bob");
    await setVisibility(other, "hidden");
    await setVisibility(other, "visible");
    await call(other, "refresh");
    assert.deepEqual(await other.evaluate(() => reasons), ["session", "renewal"]);
  });

  test("is not undone by a renewal in another tab", async (t) => {
    const { tabs } = await setUpSignedIn(t);
    const [, other] = tabs;
    await sessions(tabs);
    await other.evaluate(() => {
      globalThis.waiting = new Promise((resolve) => (globalThis.release = resolve));
    });
    const renewing = call(other, "refresh");
    await until("the callback", () => other.evaluate(() => reasons.length === 2));
    await switchUser(tabs);
    await signedOut(other);
    await other.evaluate(() => release());
    assert.equal((await renewing).userId, "bob");
    assert.deepEqual(await other.evaluate(() => reasons), ["session", "renewal", "session"]);
  });

  for (const [how, use] of [
    ["wakes up", (page) => setVisibility(page, "hidden").then(() => setVisibility(page, "visible"))],
    ["renews", (page) => call(page, "refresh")],
  ])
    test(`reaches a tab that slept when it ${how}`, async (t) => {
      const { tabs } = await setUpSignedIn(t);
      const [, sleeper] = tabs;
      await sleeper.evaluate(() =>
        addEventListener("storage", (event) => event.stopImmediatePropagation(), { capture: true }),
      );
      await sessions(tabs);
      await switchUser(tabs);
      await settle(100);
      await use(sleeper);
      assert.ok((await eventsOf(sleeper, "state")).some(({ state }) => state === "signed_out"));
      assert.equal((await call(sleeper, "session")).userId, "bob");
    });

  for (const storage of ["session", "memory"])
    test(`stays in its tab with storage: "${storage}"`, async (t) => {
      const { tabs } = await setUpSignedIn(t, { storage });
      await sessions(tabs);
      await switchUser(tabs);
      await settle();
      assert.deepEqual(usersOf(await sessions(tabs)).sort(), ["ann", "bob"]);
      assert.deepEqual(await tabs[0].evaluate(() => Object.keys(localStorage)), []);
    });
});

describe("what one tab does", () => {
  test("is seen by another: its token", async (t) => {
    const { service, tabs } = await setUp(t, { count: 2 });
    const [one, other] = tabs;
    const first = await call(one, "session");
    assert.deepEqual(await call(other, "session"), first);
    const second = await call(one, "refresh");
    assert.notEqual(second.token, first.token);
    await until("the other's token", async () => (await call(other, "session")).token === second.token);
    assert.equal((await eventsOf(other, "ready")).at(-1).source, "storage");
    assert.equal(service.requests.length, 4);
  });

  test("is seen by another: its sign-out", async (t) => {
    const { service, tabs } = await setUp(t, { count: 2 });
    const [one, other] = tabs;
    const { userId } = await call(one, "session");
    await call(other, "session");
    await one.evaluate(() => client.signOut());
    await until("signed out", async () => (await eventsOf(other, "state")).at(-1).state === "signed_out");
    assert.notEqual((await call(other, "session")).userId, userId);
    assert.equal(service.requests.at(-1).headers.authorization, undefined);
  });

  test("a sign-out while another tab renews is not undone by it", async (t) => {
    const { service, tabs } = await setUp(t, { count: 2 });
    const [one, other] = tabs;
    const { userId } = await call(one, "session");
    await call(other, "session");
    slow(service, 400);
    const renewing = call(other, "refresh");
    await until("the request", () => service.asked().length === 4);
    await one.evaluate(() => client.signOut());
    const { userId: after, message } = await renewing;
    assert.notEqual(after, userId, message);
    assert.equal(claimsOf(`Bearer ${(await call(one, "session")).token}`).sub, after);
  });

  for (const [how, use] of [
    ["wakes up", (page) => setVisibility(page, "hidden").then(() => setVisibility(page, "visible"))],
    ["renews", (page) => call(page, "refresh")],
  ]) {
    test(`a sign-out while another tab slept is not undone when that tab ${how}`, async (t) => {
      const { service, context } = await setUp(t, { count: 0 });
      const [one, sleeper] = await openTabs(context, 2, pages.site.origin, { baseUrl: service.baseUrl });
      const { userId } = await call(one, "session");
      // A tab that sleeps receives no events of other tabs.
      await sleeper.evaluate(() =>
        addEventListener("storage", (event) => event.stopImmediatePropagation(), { capture: true }),
      );
      await call(sleeper, "session");
      await one.evaluate(() => client.signOut());
      await settle(100);
      await use(sleeper);
      await until("signed out", async () =>
        (await eventsOf(sleeper, "state")).some(({ state }) => state === "signed_out"),
      );
      assert.notEqual((await call(sleeper, "session")).userId, userId);
      assert.notEqual((await call(one, "session")).userId, userId);
    });
  }

  test("a store that is emptied as a whole is a sign-out too; another key's change is nothing", async (t) => {
    const { service, tabs } = await setUp(t, { count: 2 });
    const [one, other] = tabs;
    await call(one, "session");
    const { token } = await call(other, "session");
    await one.evaluate(() => localStorage.setItem("another", "1"));
    await settle();
    assert.equal((await call(other, "session")).token, token);
    assert.equal(service.requests.length, 2);
    await one.evaluate(() => localStorage.clear());
    await until("signed out", async () => (await eventsOf(other, "state")).at(-1).state === "signed_out");
  });

  test("a tab that sleeps with the lock does not hold the others for ever", async (t) => {
    const { service, tabs } = await setUp(t, { count: 2, clockAt: Date.now() });
    const [one, other] = tabs;
    await one.evaluate(
      (key) => void navigator.locks.request(`saltmine:${key}`, () => new Promise(() => {})),
      KEY,
    );
    let isSettled = false;
    const asking = call(other, "session").finally(() => (isSettled = true));
    await settle();
    assert.equal(isSettled, false, "it waits for the lock");
    assert.deepEqual(service.asked(), [], "and asks for nothing meanwhile");
    await other.clock.runFor(20_000);
    assert.match((await asking).userId, /^anon_/);
    assert.deepEqual(service.asked(), ["challenge", "session"]);
  });
});
