/** Where a browser's client keeps its session, and what it does with what it finds there. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { launchBrowser, openPage, workersGone } from "../support/browser.mjs";
import { APP_ID, inTheFuture, makeToken, right, startService } from "../support/service.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";

const KEY = `inkeep_session_${APP_ID}`;
const { dist, entryPoints, remove } = await installTarball();
const FRAME = '<iframe title="widget" sandbox="allow-scripts" src="/widget"></iframe>';
const site = await serveFiles({
  folders: { "/saltmine/": dist },
  files: { "/": BLANK_PAGE, "/outside": BLANK_PAGE + FRAME, "/widget": BLANK_PAGE },
  headers: { "access-control-allow-origin": "*" },
});
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await site.close();
  await remove();
});

/** A page in a fresh profile, and a service on another origin. `ask()` is a client's session, told as data. */
async function setUp(t, routes, options = {}) {
  const service = await startService(routes, options);
  const { page, context, complaints } = await openPage(browser, `${site.origin}/`);
  t.after(async () => {
    await context.close();
    await service.close();
  });
  const ask = (clientOptions = {}, where = page) =>
    where.evaluate(
      async ({ entryPoint, options }) => {
        const { createClient } = await import(entryPoint);
        const events = [];
        const client = createClient({ ...options, onEvent: (event) => events.push(event) });
        const outcome = await client.session().then(
          (session) => ({ session }),
          ({ code, message }) => ({ code, message }),
        );
        client.dispose();
        return { ...outcome, events, ready: events.find(({ type }) => type === "ready") };
      },
      {
        entryPoint: entryPoints.web,
        options: { baseUrl: service.baseUrl, appId: APP_ID, ...clientOptions },
      },
    );
  const stored = (kind = "localStorage") =>
    page.evaluate(
      ({ kind, key }) => ({ count: globalThis[kind].length, text: globalThis[kind].getItem(key) }),
      {
        kind,
        key: KEY,
      },
    );
  const put = (text) => page.evaluate(({ key, text }) => localStorage.setItem(key, text), { key: KEY, text });
  return { service, page, ask, stored, put, complaints };
}

describe("local storage", () => {
  test("holds exactly what deployed widgets expect, and outlives a reload", async (t) => {
    const { service, page, ask, stored } = await setUp(t);
    const first = await ask();
    const { token, expiresAt } = first.session;
    const { count, text } = await stored();
    assert.equal(count, 1);
    assert.equal(text, JSON.stringify({ token, expiresAt }));
    assert.equal(first.ready.source, "network");

    await page.reload();
    const second = await ask();
    assert.deepEqual(second.session, first.session);
    assert.equal(second.ready.source, "storage");
    assert.deepEqual(
      service.requests.map(({ name }) => name),
      ["challenge", "session"],
    );
    await workersGone(page, 4_500);
  });

  test("a session that a deployed widget stored is taken over", async (t) => {
    const { service, ask, put } = await setUp(t);
    const token = makeToken({ sub: "anon_before" });
    await put(JSON.stringify({ expiresAt: inTheFuture(), token, version: 3 }));
    const { session, ready } = await ask();
    assert.equal(session.userId, "anon_before");
    assert.equal(ready.source, "storage");
    assert.equal(service.requests.length, 0);
  });

  test("an expired session is renewed with its token", async (t) => {
    const { service, ask, put } = await setUp(t);
    const token = makeToken({ sub: "anon_before" });
    await put(JSON.stringify({ token, expiresAt: inTheFuture(-1_000) }));
    await ask();
    assert.equal(service.requests.at(-1).headers.authorization, `Bearer ${token}`);
  });

  const fresh = { token: makeToken(), expiresAt: inTheFuture() };
  for (const [what, text] of [
    ["no JSON", "{"],
    ["an empty text", ""],
    ["null", "null"],
    ["a number", "7"],
    ["an array", "[]"],
    ["no token", JSON.stringify({ ...fresh, token: undefined })],
    ["a token that is no text", JSON.stringify({ ...fresh, token: {} })],
    ["a token that is no JWT", JSON.stringify({ ...fresh, token: "a.b.c" })],
    [
      "a token of another app",
      JSON.stringify({ ...fresh, token: makeToken({ app: "app_of_others000000" }) }),
    ],
    ["a token without a subject", JSON.stringify({ ...fresh, token: makeToken({ sub: "" }) })],
    ["an end that is no date", JSON.stringify({ ...fresh, expiresAt: "never" })],
    ["an end that is no text", JSON.stringify({ ...fresh, expiresAt: 1 })],
  ]) {
    test(`garbage is replaced: ${what}`, async (t) => {
      const { service, ask, put, stored, complaints } = await setUp(t);
      await put(text);
      const { session, ready } = await ask();
      assert.equal(ready.source, "network");
      assert.equal(service.requests.at(-1).headers.authorization, undefined);
      assert.equal(JSON.parse((await stored()).text).token, session.token);
      assert.deepEqual(complaints, []);
    });
  }

  test("signOut empties it", async (t) => {
    const { page, ask, stored, service } = await setUp(t);
    await ask();
    await page.evaluate(
      async ({ entryPoint, options }) => (await import(entryPoint)).createClient(options).signOut(),
      {
        entryPoint: entryPoints.web,
        options: { baseUrl: service.baseUrl, appId: APP_ID },
      },
    );
    assert.deepEqual(await stored(), { count: 0, text: null });
  });
});

describe("the other stores", () => {
  test("session storage ends with the tab", async (t) => {
    const { ask, stored } = await setUp(t);
    const { session } = await ask({ storage: "session" });
    assert.equal(JSON.parse((await stored("sessionStorage")).text).token, session.token);
    assert.deepEqual(await stored(), { count: 0, text: null });
  });

  test("memory leaves nothing behind", async (t) => {
    const { ask, stored } = await setUp(t);
    await ask({ storage: "memory" });
    assert.deepEqual(await stored(), { count: 0, text: null });
    assert.deepEqual(await stored("sessionStorage"), { count: 0, text: null });
  });

  test("a full store is told once, and the session works", async (t) => {
    const { page, ask } = await setUp(t);
    await page.evaluate(() => {
      for (let size = 2 ** 22; size >= 1; size /= 2) {
        try {
          for (let i = 0; ; i += 1) localStorage.setItem(`full-${size}-${i}`, "x".repeat(size));
        } catch {
          // Now it does not take this much any more.
        }
      }
    });
    const { session, events, message } = await ask();
    assert.ok(session, message);
    const warnings = events.filter(({ type }) => type === "warning");
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["storage_blocked"],
    );
  });

  test("signOut empties a store that has become full, too", async (t) => {
    const { page, ask, put, service, stored } = await setUp(t);
    await put(JSON.stringify({ token: makeToken(), expiresAt: inTheFuture(-1_000) }));
    await page.evaluate(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    });
    const { events } = await ask();
    assert.equal(events.filter(({ type }) => type === "warning").length, 1);
    await page.evaluate(
      async ({ entryPoint, options }) => {
        const client = (await import(entryPoint)).createClient(options);
        await client.session();
        client.signOut();
        client.dispose();
      },
      { entryPoint: entryPoints.web, options: { baseUrl: service.baseUrl, appId: APP_ID } },
    );
    assert.equal((await stored()).text, null);
  });

  test("a full store does not bring the old session back after refresh", async (t) => {
    const { page, service, put } = await setUp(t);
    await put(JSON.stringify({ token: makeToken(), expiresAt: inTheFuture() }));
    const tokens = await page.evaluate(
      async ({ entryPoint, options }) => {
        Storage.prototype.setItem = () => {
          throw new DOMException("full", "QuotaExceededError");
        };
        const client = (await import(entryPoint)).createClient(options);
        const calls = [
          () => client.session(),
          () => client.refresh(),
          () => client.refresh(),
          () => client.session(),
        ];
        const tokens = [];
        for (const call of calls) tokens.push((await call()).token);
        client.dispose();
        return tokens;
      },
      { entryPoint: entryPoints.web, options: { baseUrl: service.baseUrl, appId: APP_ID } },
    );
    assert.equal(new Set(tokens).size, 3, "the stored one and two new ones");
    assert.equal(tokens[2], tokens[3]);
  });

  test("a browser that refuses the very access is told of once, and the session works", async (t) => {
    const { page, ask } = await setUp(t);
    await page.evaluate(() =>
      Object.defineProperty(globalThis, "localStorage", {
        get() {
          throw new DOMException("The operation is insecure.", "SecurityError");
        },
      }),
    );
    const { session, events } = await ask();
    assert.ok(session);
    const warnings = events.filter(({ type }) => type === "warning");
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["storage_blocked"],
    );
    assert.match(warnings[0].message, /^The session is not kept over a reload: The operation is insecure/);
  });

  test("a Storage of the caller's own is used like any other, and may fail like any other", async (t) => {
    const { page, service } = await setUp(t);
    const { entries, tokens, codes } = await page.evaluate(
      async ({ entryPoint, options }) => {
        const { createClient } = await import(entryPoint);
        const kept = new Map();
        const own = {
          getItem: (key) => kept.get(key) ?? null,
          setItem: (key, text) => void kept.set(key, text),
          removeItem: (key) => void kept.delete(key),
        };
        const fail = () => {
          throw new Error("not today");
        };
        const codes = [];
        const onEvent = ({ code }) => code && codes.push(code);
        const tokens = [];
        for (const storage of [own, own, { getItem: fail, setItem: fail, removeItem: fail }]) {
          const client = createClient({ ...options, storage, onEvent });
          tokens.push((await client.session()).token);
          if (storage !== own) client.signOut();
          client.dispose();
        }
        return { entries: [...kept], tokens, codes };
      },
      { entryPoint: entryPoints.web, options: { baseUrl: service.baseUrl, appId: APP_ID } },
    );
    assert.deepEqual(
      entries.map(([key]) => key),
      [KEY],
    );
    assert.deepEqual(Object.keys(JSON.parse(entries[0][1])), ["token", "expiresAt"]);
    assert.equal(tokens[0], tokens[1]);
    assert.notEqual(tokens[1], tokens[2]);
    assert.deepEqual(codes, ["storage_blocked"]);
  });

  test("a sandboxed frame has neither a store nor a worker: two warnings, and it works", async (t) => {
    const { page, ask } = await setUp(t);
    await page.goto(`${site.origin}/outside`);
    const frame = page.frames().find((candidate) => candidate.url().endsWith("/widget"));
    const { session, events, ready, message } = await ask({}, frame);
    assert.ok(session, message);
    assert.equal(ready.backend.thread, "page");
    assert.match(ready.backend.reason, /^no worker: .+/);
    const warnings = events.filter(({ type }) => type === "warning");
    assert.deepEqual(warnings.map(({ code }) => code).sort(), ["page_thread", "storage_blocked"]);
    for (const warning of warnings) assert.match(warning.message, /^[A-Z].{15,}$/);
  });
});

describe("across origins", () => {
  test("a service that does not allow the page's origin → network, with a word about CORS", async (t) => {
    const { ask, page } = await setUp(t, {}, { cors: false });
    const { code, message } = await ask();
    assert.equal(code, "network");
    assert.match(message, /CORS/);
    await workersGone(page, 4_500);
  });

  test("a service that hides its Date still gives a session", async (t) => {
    const { ask } = await setUp(t, {
      challenge: async () => ({
        ...(await right.challenge()),
        headers: { "access-control-expose-headers": "x-none" },
      }),
    });
    const { session, message } = await ask();
    assert.ok(session, message);
  });

  test("ten calls at the same time make one challenge and one session; no cookie goes along", async (t) => {
    const { service, page } = await setUp(t);
    await page.context().addCookies([{ name: "visitor", value: "1", url: service.baseUrl }]);
    const tokens = await page.evaluate(
      async ({ entryPoint, options }) => {
        const client = (await import(entryPoint)).createClient(options);
        const sessions = await Promise.all(Array.from({ length: 10 }, () => client.session()));
        client.dispose();
        return sessions.map(({ token }) => token);
      },
      { entryPoint: entryPoints.web, options: { baseUrl: service.baseUrl, appId: APP_ID } },
    );
    assert.equal(new Set(tokens).size, 1);
    assert.deepEqual(
      service.requests.map(({ name, headers }) => [name, headers.cookie]),
      [
        ["challenge", undefined],
        ["session", undefined],
      ],
    );
    await workersGone(page, 4_500);
  });
});
