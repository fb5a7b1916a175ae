/** A client ends all that it starts: counted in a page whose timers, listeners, workers and locks are watched. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { workersGone } from "../support/browser.mjs";
import { call, eventsOf, makeClient, openTab, startPages, until } from "../support/client-pages.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const pages = await startPages();
after(pages.close);

/** Keeps count under the global `left`, from now on. */
function watch() {
  const timers = new Map();
  const listeners = new Map();
  for (const [set, clear] of [
    ["setTimeout", "clearTimeout"],
    ["setInterval", "clearInterval"],
  ]) {
    const [original, originalClear] = [globalThis[set], globalThis[clear]];
    globalThis[set] = (run, ms, ...args) => {
      const id = original(() => {
        if (set === "setTimeout") timers.delete(id);
        run(...args);
      }, ms);
      timers.set(id, `${set} ${ms}`);
      return id;
    };
    globalThis[clear] = (id) => {
      timers.delete(id);
      originalClear(id);
    };
  }
  for (const target of [window, document]) {
    const add = target.addEventListener;
    target.addEventListener = (type, listener, options) => {
      const name = `${type} ${listeners.size}`;
      listeners.set(name, type);
      options?.signal?.addEventListener("abort", () => listeners.delete(name));
      add.call(target, type, listener, options);
    };
  }
  globalThis.left = async () => {
    const locks = await navigator.locks?.query();
    return {
      timers: [...timers.values()],
      listeners: [...listeners.values()],
      locks: [...(locks?.held ?? []), ...(locks?.pending ?? [])].map(({ name }) => name),
    };
  };
}

async function setUp(t, options = {}, clientOptions = {}) {
  const service = await startTimedService(options);
  const context = await pages.browser.newContext();
  t.after(async () => {
    await context.close();
    await service.close();
  });
  const page = await openTab(context, pages.site.origin);
  await page.evaluate(watch);
  await makeClient(page, { baseUrl: service.baseUrl, ...clientOptions });
  const left = () => page.evaluate(() => left());
  return { service, page, left };
}

const NOTHING = { timers: [], listeners: [], locks: [] };

async function assertNothingLeft(page, left) {
  await workersGone(page, 4_500);
  await until("nothing left", async () => Object.values(await left()).flat().length === 0, 1_000).catch(
    async () => assert.deepEqual(await left(), NOTHING),
  );
}

describe("dispose", () => {
  test("a client that was never used leaves nothing", async (t) => {
    const { left } = await setUp(t);
    assert.deepEqual(await left(), NOTHING);
  });

  test("with a session: ends the worker, its timers and its listeners", async (t) => {
    const { page, left } = await setUp(t);
    await call(page, "session");
    await call(page, "challengeHeaders");
    const { timers, listeners } = await left();
    assert.ok(timers.length >= 2, "the watch sees the timers");
    assert.deepEqual(listeners.sort(), ["storage", "visibilitychange"]);
    assert.equal(page.workers().length, 1);
    await page.evaluate(() => client.dispose());
    await assertNothingLeft(page, left);
    assert.equal((await call(page, "session")).code, "disposed");
    await page.evaluate(() => client.prefetch());
    await assertNothingLeft(page, left);
  });

  test("is the last that the listener hears of: a call under way fails, and the page is not told", async (t) => {
    const { page } = await setUp(t);
    const codes = await page.evaluate(async () => {
      const calls = [client.session(), client.refresh(), client.challengeHeaders()];
      const before = events.length;
      client.dispose();
      client.signOut();
      const codes = await Promise.all(calls.map((asking) => asking.then(String, ({ code }) => code)));
      return [...codes, events.length - before];
    });
    assert.deepEqual(codes, ["disposed", "disposed", "disposed", 0]);
  });

  test("with solutions asked for at once where there are none: keeps no timer of theirs", async (t) => {
    const { page, left } = await setUp(t, { challenge: async () => ({ status: 404 }) });
    await page.evaluate(() => Promise.all(Array.from({ length: 4 }, () => client.challengeHeaders())));
    await page.evaluate(() => client.dispose());
    await assertNothingLeft(page, left);
  });

  test("in mid-flight: ends the request, and lets the lock go", async (t) => {
    const { page, left, service } = await setUp(t, { session: async () => {} });
    const calls = [call(page, "session"), call(page, "headers"), call(page, "challengeHeaders")];
    await until("the request", () => service.asked().includes("session"));
    assert.equal((await left()).locks.length, 1);
    await page.evaluate(() => client.dispose());
    for (const { code } of (await Promise.all(calls)).slice(0, 2)) assert.equal(code, "disposed");
    await assertNothingLeft(page, left);
  });

  for (const ticks of [0, 1, 2, 5]) {
    test(`${ticks} ticks after session(), while another tab holds the lock: ends the call`, async (t) => {
      const { page, left, service } = await setUp(t);
      const other = await openTab(page.context(), pages.site.origin);
      await makeClient(other, { baseUrl: service.baseUrl });
      service.routes.session = async () => {};
      const held = call(other, "session");
      await until("the request", () => service.asked().includes("session"));
      // React's Strict Mode unmounts a component directly after it has mounted.
      const code = await page.evaluate(async (ticks) => {
        const asking = client.session().catch(({ code }) => code);
        for (let tick = 0; tick < ticks; tick += 1) await undefined;
        client.dispose();
        return Promise.race([asking, new Promise((give) => setTimeout(give, 1_000, "still pending"))]);
      }, ticks);
      assert.equal(code, "disposed");
      await other.evaluate(() => client.dispose());
      await held;
      await assertNothingLeft(page, left);
    });
  }

  test("while it waits for another tab's lock: waits no longer", async (t) => {
    const { page, left, service } = await setUp(t);
    const other = await openTab(page.context(), pages.site.origin);
    await makeClient(other, { baseUrl: service.baseUrl });
    const { session } = service.routes;
    service.routes.session = async () => {};
    const flying = call(other, "session");
    await until("the request", () => service.asked().includes("session"));
    const waiting = call(page, "session");
    await until("the lock", async () => (await left()).locks.length === 2);
    await page.evaluate(() => client.dispose());
    assert.equal((await waiting).code, "disposed");
    service.routes.session = session;
    await other.evaluate(() => client.dispose());
    await flying;
    await assertNothingLeft(page, left);
  });

  test("while the page sends the requests", async (t) => {
    const { page, left, service } = await setUp(t, { session: async () => {} });
    await page.evaluate((baseUrl) => {
      client.dispose();
      globalThis.client = make({ baseUrl, appId: "app_1", fetch: (...args) => fetch(...args) });
    }, service.baseUrl);
    const flying = call(page, "session");
    await until("the request", () => service.asked().includes("session"));
    await page.evaluate(() => client.dispose());
    assert.equal((await flying).code, "disposed");
    await assertNothingLeft(page, left);
  });

  for (const [when, stored, sends] of [
    ["before it is sent", false, 0],
    ["before it is sent, with a stored session", true, 0],
    ["while it waits for the answer, a 401", true, 1],
  ])
    test(`a fetch ${when}: nothing begins any more`, async (t) => {
      const { page, left, service } = await setUp(t);
      let sent = 0;
      await page.route("**/run/api/chat", async (route) => {
        sent += 1;
        await page.evaluate(() => client.dispose());
        await route.fulfill({ status: 401, headers: { "access-control-allow-origin": "*" } });
      });
      if (stored) await call(page, "session");
      await makeClient(page, { baseUrl: service.baseUrl });
      const before = service.asked().length;
      const { code } = await page.evaluate((waits) => {
        events.length = 0;
        const asking = client.fetch("/run/api/chat");
        if (!waits) client.dispose();
        return asking.catch(({ code }) => ({ code }));
      }, sends > 0);
      assert.equal(code, "disposed");
      assert.equal(sent, sends);
      assert.equal(service.asked().length, before);
      assert.deepEqual(
        (await eventsOf(page, "state")).map(({ state }) => state).filter((state) => state !== "ready"),
        [],
      );
      await assertNothingLeft(page, left);
    });

  test("while the code of the caller's requests loads: ends the calls, and so does an abort", async (t) => {
    const { page, left } = await setUp(t, {}, { challenge: "every-request" });
    await call(page, "session");
    let asked = 0;
    // It never arrives.
    await page.route("**/requests.js", () => void (asked += 1));
    for (const how of ["abort", "dispose"]) {
      const outcomes = await page.evaluate(async (how) => {
        const controller = new AbortController();
        const { signal } = controller;
        const calls = [
          client.fetch("/run/x", { signal }),
          client.fetch(new Request("/run/x", { signal })),
          client.headers({ signal }),
          client.challengeHeaders({ signal }),
        ].map((calling) => calling.then(String, ({ code, message }) => code || message));
        await new Promise((resolve) => setTimeout(resolve, 200));
        if (how === "abort") controller.abort(new Error("no longer needed"));
        else client.dispose();
        const late = new Promise((resolve) => setTimeout(resolve, 1_000, "still pending"));
        return Promise.all(calls.map((calling) => Promise.race([calling, late])));
      }, how);
      assert.deepEqual(outcomes, Array(4).fill(how === "abort" ? "no longer needed" : "disposed"));
    }
    assert.equal(asked, 1);
    await assertNothingLeft(page, left);
  });

  test("while the code for signed-in users loads: ends the call", async (t) => {
    const { page, service, left } = await setUp(t);
    // It never arrives.
    await page.route("**/requests.js", () => {});
    const outcome = await page.evaluate(async (baseUrl) => {
      const signedIn = make({ baseUrl, appId: "app_0123456789abcdef", getAuthToken: async () => "" });
      const ended = signedIn.session().then(String, ({ code }) => code);
      await new Promise((resolve) => setTimeout(resolve, 200));
      signedIn.dispose();
      return Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1_000, "still pending"))]);
    }, service.baseUrl);
    assert.equal(outcome, "disposed");
    await page.evaluate(() => client.dispose());
    await assertNothingLeft(page, left);
  });

  test("of one client leaves another's alone", async (t) => {
    const { page, service, left } = await setUp(t);
    await call(page, "session");
    await page.evaluate((baseUrl) => {
      globalThis.first = client;
      globalThis.client = make({ baseUrl, appId: client.appId ?? "app_0123456789abcdef" });
    }, service.baseUrl);
    await call(page, "session");
    await page.evaluate(() => first.dispose());
    assert.deepEqual((await left()).listeners.sort(), ["storage", "visibilitychange"]);
    assert.ok((await call(page, "refresh")).token);
  });

  test("a hundred clients come and go: nothing is left", async (t) => {
    const { page, service, left } = await setUp(t);
    await page.evaluate(async (baseUrl) => {
      client.dispose();
      for (let i = 0; i < 100; i += 1) {
        const one = make({ baseUrl, appId: "app_0123456789abcdef" });
        const asking = one.session().catch(() => {});
        if (i % 3 === 0) await asking;
        one.dispose();
      }
    }, service.baseUrl);
    await assertNothingLeft(page, left);
    assert.equal(service.asked().filter((name) => name === "session").length, 1);
  });
});
