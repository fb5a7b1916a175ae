/** A store of the caller's own: several clients with the same one are one visitor, as tabs are. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { call, eventsOf, openTab, startPages, until } from "../support/client-pages.mjs";
import { APP_ID } from "../support/service.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const KEY = `inkeep_session_${APP_ID}`;
const pages = await startPages();
const { createClient } = await import(pages.tarball.entryPoints.node);
after(pages.close);

function makeStore() {
  const items = new Map();
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, text) => items.set(key, text),
    removeItem: (key) => items.delete(key),
  };
}

async function setUp(t, storage = makeStore(), count = 2) {
  const service = await startTimedService();
  const events = [];
  const clients = Array.from({ length: count }, () =>
    createClient({
      baseUrl: service.baseUrl,
      appId: APP_ID,
      storage,
      onEvent: (event) => events.push(event),
    }),
  );
  t.after(async () => {
    for (const client of clients) client.dispose();
    await service.close();
  });
  return { service, clients, storage, events };
}

describe("a sign-out of another client", () => {
  test("is not undone by a renewal: the next session is another identity", async (t) => {
    const { clients, storage } = await setUp(t);
    const [one, other] = clients;
    const before = await one.session();
    assert.equal((await other.session()).userId, before.userId);
    one.signOut();
    assert.equal(storage.items.has(KEY), false);
    const renewed = await other.refresh();
    assert.notEqual(renewed.userId, before.userId);
    assert.equal((await one.session()).userId, renewed.userId);
  });

  test("while a renewal is under way: what the service returns for the old identity is not used", async (t) => {
    const { service, clients } = await setUp(t);
    const [one, other] = clients;
    const before = await one.session();
    await other.session();
    const { session } = service.routes;
    service.routes.session = async (request) => {
      one.signOut();
      service.routes.session = session;
      return session(request);
    };
    const renewed = await other.refresh();
    assert.notEqual(renewed.userId, before.userId);
    assert.equal((await one.session()).userId, renewed.userId);
  });

  test("and a session after it: the renewal takes over the new identity", async (t) => {
    const { clients } = await setUp(t);
    const [one, other] = clients;
    const before = await one.session();
    await other.session();
    one.signOut();
    const next = await one.session();
    assert.notEqual(next.userId, before.userId);
    assert.equal((await other.refresh()).userId, next.userId);
  });

  test("reaches a page whose store is localStorage itself", async (t) => {
    const service = await startTimedService();
    const context = await pages.browser.newContext();
    t.after(async () => {
      await context.close();
      await service.close();
    });
    const tabs = [];
    for (let count = 0; count < 2; count += 1) {
      const tab = await openTab(context, pages.site.origin);
      await tab.evaluate(
        (options) => (globalThis.client = make({ ...options, storage: localStorage })) && undefined,
        {
          baseUrl: service.baseUrl,
          appId: APP_ID,
        },
      );
      await call(tab, "session");
      tabs.push(tab);
    }
    await tabs[0].evaluate(() => client.signOut());
    const isSignedOut = async () => (await eventsOf(tabs[1], "state")).at(-1).state === "signed_out";
    await until("the sign-out", isSignedOut);
  });
});

test("a store that keeps nothing: a renewal keeps the identity", async (t) => {
  const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
  const { clients } = await setUp(t, storage, 1);
  const { userId } = await clients[0].session();
  assert.equal((await clients[0].refresh()).userId, userId);
});

test("a store whose methods reject: one warning, no unhandled rejection", async (t) => {
  const unhandled = [];
  const onUnhandled = (error) => unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  t.after(() => process.off("unhandledRejection", onUnhandled));
  const fail = async () => {
    throw new Error("the store is closed");
  };
  const { clients, events } = await setUp(
    t,
    { getItem: async () => null, setItem: fail, removeItem: fail },
    1,
  );
  const { userId } = await clients[0].session();
  assert.equal((await clients[0].refresh()).userId, userId);
  clients[0].signOut();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(unhandled, []);
  const warnings = events.filter(({ type }) => type === "warning");
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ["storage_blocked"],
  );
  assert.match(warnings[0].message, /the store is closed/);
});
