/** The option `fetch` with a function that looks at no signal: every call ends all the same. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { openTab, startPages, until } from "../support/client-pages.mjs";
import { APP_ID } from "../support/service.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const pages = await startPages();
const { createClient } = await import(pages.tarball.entryPoints.node);
after(pages.close);

const bounded = { timeout: 20_000 };
const forever = () => new Promise(() => {});
/** A response that begins, and whose body never ends. */
const endless = async () => new Response(new ReadableStream());

function setUp(t, options) {
  const client = createClient({ baseUrl: "http://service.test", appId: APP_ID, ...options });
  t.after(() => client.dispose());
  return client;
}

for (const [what, fetch] of [
  ["never settles", forever],
  ["responds without an end", endless],
])
  describe(`a fetch that ${what}`, () => {
    for (const method of ["session", "headers", "challengeHeaders", "refresh"]) {
      test(`${method}(): timeout, after timeoutMs`, bounded, async (t) => {
        const client = setUp(t, { fetch, timeoutMs: 50 });
        await assert.rejects(client[method](), { code: "timeout" });
      });

      test(`${method}(): disposed, after dispose()`, bounded, async (t) => {
        const client = setUp(t, { fetch });
        const calling = client[method]();
        setTimeout(() => client.dispose(), 50);
        await assert.rejects(calling, { code: "disposed" });
      });
    }

    test("lets the lock of the tabs go", bounded, async (t) => {
      const context = await pages.browser.newContext();
      t.after(() => context.close());
      const page = await openTab(context, pages.site.origin);
      const held = () => page.evaluate(async () => (await navigator.locks.query()).held.length);
      const begin = (options) =>
        page.evaluate(
          ({ text, ...options }) => {
            const fetch = (0, eval)(`(${text})`);
            globalThis.client = make({ ...options, fetch });
            globalThis.code = undefined;
            client.session().catch(({ code }) => (globalThis.code = code));
          },
          { baseUrl: "http://service.test", appId: APP_ID, text: String(fetch), ...options },
        );
      const ended = (code) =>
        until(code, () => page.evaluate((code) => globalThis.code === code, code), 15_000);
      await begin({ timeoutMs: 50 });
      await ended("timeout");
      assert.equal(await held(), 0);
      await begin({});
      await until("the lock", async () => (await held()) === 1);
      await page.evaluate(() => client.dispose());
      await ended("disposed");
      assert.equal(await held(), 0);
    });
  });

for (const [what, fetch] of [
  ["rejects", async (reason) => Promise.reject(reason)],
  [
    "throws",
    (reason) => {
      throw reason;
    },
  ],
])
  test(`a fetch that ${what}: its error is the cause`, bounded, async (t) => {
    // No worker can receive a copy of it.
    const reason = Object.assign(new Error("no connection"), { retry() {} });
    const client = setUp(t, { fetch: () => fetch(reason) });
    const error = await client.session().catch((error) => error);
    assert.equal(error.code, "network");
    assert.match(error.message, /no connection$/);
    assert.equal(error.cause, reason);
  });

describe("client.fetch", () => {
  /** A client with a session, whose `fetch` never settles for other requests. */
  async function withSession(t) {
    const service = await startTimedService();
    let sent = 0;
    const client = setUp(t, {
      baseUrl: service.baseUrl,
      fetch: (input, init) => {
        if (String(input).includes("/run/auth/")) return fetch(input, init);
        sent += 1;
        return forever();
      },
    });
    t.after(service.close);
    await client.session();
    return { client, sent: () => sent };
  }

  test("ends with the reason of the caller's signal", bounded, async (t) => {
    const { client, sent } = await withSession(t);
    await assert.rejects(client.fetch("/run/x", { signal: AbortSignal.timeout(50) }), {
      name: "TimeoutError",
    });
    assert.equal(sent(), 1);
  });

  test("sends nothing with a signal that is aborted already", bounded, async (t) => {
    const { client, sent } = await withSession(t);
    const reason = new Error("no longer needed");
    await assert.rejects(client.fetch("/run/x", { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(sent(), 0);
  });

  test("ends with disposed", bounded, async (t) => {
    const { client } = await withSession(t);
    const calling = client.fetch("/run/x");
    setTimeout(() => client.dispose(), 50);
    await assert.rejects(calling, { code: "disposed" });
  });
});

describe("a signal that is aborted with null rejects with null, as the platform does", () => {
  const outcome = (promise) =>
    promise.then(
      () => "resolved",
      (reason) => reason,
    );
  for (const when of ["before", "during"])
    for (const method of ["session", "headers", "challengeHeaders", "refresh", "fetch"])
      test(`${method}(), ${when} the call`, bounded, async (t) => {
        const client = setUp(t, { fetch: forever });
        const controller = new AbortController();
        if (when === "before") controller.abort(null);
        else setTimeout(() => controller.abort(null), 50);
        const { signal } = controller;
        const calling = method === "fetch" ? client.fetch("/x", { signal }) : client[method]({ signal });
        assert.equal(await outcome(calling), null);
      });
});
