/** Wherever a widget may run, against the reference server. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { makeClient, openTab, call, eventsOf, pageModule, startPages } from "../support/client-pages.mjs";
import { DEMO_APP_ID, makeApp, startServer } from "../support/server.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";

const pages = await startPages({
  headers: { "access-control-allow-origin": "*", "service-worker-allowed": "/" },
  files: {
    "/sandbox": `${BLANK_PAGE}<iframe title="widget" sandbox="allow-scripts" src="/"></iframe>`,
    "/in-worker.js": `
      import { createClient } from "/saltmine/index.js";
      onmessage = async ({ data }) => {
        const events = [];
        const client = createClient({ ...data, onEvent: (event) => events.push(event) });
        const told = await client.session().catch(({ code, message }) => ({ code, message }));
        client.dispose();
        postMessage({ ...told, events: events.filter(({ type }) => type !== "state") });
      };
      postMessage("ready");`,
    "/service-worker.js": `
      import { createClient } from "/saltmine/service-worker.js";
      onmessage = async ({ data, ports: [port] }) => {
        const events = [];
        const client = createClient({ ...data, onEvent: (event) => events.push(event) });
        const told = await client.session().catch(({ code, message }) => ({ code, message }));
        client.dispose();
        port.postMessage({ ...told, events: events.filter(({ type }) => type !== "state") });
      };`,
  },
});
// Every origin may: a sandboxed frame's is null.
const key = "a management key for this test";
const server = await startServer({ INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: key, SALTMINE_POW_VERSION: "1" });
const manager = { baseUrl: server.baseUrl, key };
const appId = await makeApp(manager);
const options = { baseUrl: server.baseUrl, appId };
const context = await pages.browser.newContext();
after(async () => {
  await pages.close();
  await server.stop();
});

const assertSession = ({ userId, code, message }) =>
  assert.match(String(userId), /^anon_/, `${code}: ${message}`);
const backendOf = async (page) => (await eventsOf(page, "ready")).at(-1).backend;

test("a page", async () => {
  const page = await openTab(context, pages.site.origin);
  await makeClient(page, options);
  assertSession(await call(page, "session"));
  assert.deepEqual(await backendOf(page), { engine: "simd128", thread: "worker" });
});

test("a plain http page, where there is neither crypto.subtle nor a lock", async () => {
  const page = await openTab(context, pages.plainOrigin);
  assert.deepEqual(await page.evaluate(() => [isSecureContext, Boolean(crypto.subtle)]), [false, false]);
  await makeClient(page, options);
  assertSession(await call(page, "session"));
  assert.deepEqual(await backendOf(page), { engine: "simd128", thread: "worker" });
});

test("a frame of another origin", async (t) => {
  const host = await serveFiles({
    files: { "/": `${BLANK_PAGE}<iframe title="widget" src="${pages.site.origin}/"></iframe>` },
  });
  t.after(host.close);
  const page = await context.newPage();
  await page.goto(host.origin.replace("127.0.0.1", "localhost"));
  const frame = page.frames()[1];
  await frame.waitForFunction(() => "make" in globalThis);
  await makeClient(frame, options);
  assertSession(await call(frame, "session"));
  assert.equal((await backendOf(frame)).thread, "worker");
});

test("a sandboxed frame without an origin", async () => {
  const page = await context.newPage();
  await page.goto(`${pages.site.origin}/sandbox`);
  const frame = page.frames()[1];
  await frame.waitForFunction(() => "make" in globalThis);
  assert.equal(await frame.evaluate(() => globalThis.origin), "null");
  await makeClient(frame, options);
  assertSession(await call(frame, "session"));
  assert.equal((await backendOf(frame)).thread, "page");
  const warnings = (await eventsOf(frame, "warning")).map(({ code }) => code);
  assert.deepEqual(warnings.sort(), ["page_thread", "storage_blocked"]);
});

test("a refused origin is named, with the list that it is missing from; null in a sandboxed frame", async () => {
  const demo = { baseUrl: server.baseUrl, appId: DEMO_APP_ID };
  const page = await openTab(context, pages.plainOrigin);
  await makeClient(page, demo);
  const { code, status, message } = await call(page, "session");
  assert.deepEqual([code, status], ["origin_not_allowed", 403]);
  assert.ok(message.includes(`Origin ${pages.plainOrigin}:`), message);
  assert.match(message, /allowedDomains/);

  await page.goto(`${pages.site.origin}/sandbox`);
  const frame = page.frames()[1];
  await frame.waitForFunction(() => "make" in globalThis);
  await makeClient(frame, demo);
  assert.match((await call(frame, "session")).message, /allowedDomains.*Origin null:/);
});

test("a policy that does not name the service: the error names the directive", async (t) => {
  const script = `import { createClient } from "/saltmine/index.js";
    const client = createClient({ baseUrl: "${server.baseUrl}", appId: "${appId}" });
    globalThis.told = await client.session().catch(({ code, message }) => ({ code, message }));`;
  const strict = await serveFiles({
    folders: { "/saltmine/": pages.tarball.dist },
    files: { "/": `${BLANK_PAGE}<script type="module" src="/page.js"></script>`, "/page.js": script },
    headers: {
      "content-security-policy":
        "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
    },
  });
  t.after(strict.close);
  const page = await context.newPage();
  await page.goto(strict.origin);
  await page.waitForFunction(() => globalThis.told, undefined, { polling: 20 });
  const { code, message } = await page.evaluate(() => told);
  assert.equal(code, "network");
  assert.match(message, /connect-src/);
});

test("offline at the first call: the connection failed; then a session", async (t) => {
  const context = await pages.browser.newContext();
  t.after(() => context.close());
  const page = await openTab(context, pages.site.origin);
  await makeClient(page, options);
  await context.setOffline(true);
  const { code, retryable, cause } = await page.evaluate(() =>
    client.session().catch(({ code, retryable, cause }) => ({ code, retryable, cause: cause?.code })),
  );
  assert.deepEqual([code, retryable, cause], ["network", true, "engine_unavailable"]);
  await context.setOffline(false);
  assertSession(await call(page, "session"));
});

test("a frame by srcdoc, whose policy allows workers of its own origin", async (t) => {
  const strict = await serveFiles({
    folders: { "/saltmine/": pages.tarball.dist },
    files: {
      "/page": `${BLANK_PAGE}<iframe title="widget" srcdoc='<script type="module" src="/page.js"></script>'></iframe>`,
      "/page.js": pageModule("/saltmine/index.js"),
    },
    headers: {
      "content-security-policy": `script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' ${server.baseUrl}`,
    },
  });
  t.after(strict.close);
  const page = await context.newPage();
  await page.goto(`${strict.origin}/page`);
  const frame = page.frames()[1];
  await frame.waitForFunction(() => "make" in globalThis, undefined, { polling: 20 });
  assert.equal(await frame.evaluate(() => location.href), "about:srcdoc");
  for (const more of [{}, { assetsUrl: "saltmine/" }]) {
    await makeClient(frame, { ...options, storage: "memory", ...more });
    assertSession(await call(frame, "session"));
    assert.deepEqual(await backendOf(frame), { engine: "simd128", thread: "worker" });
  }
});

test("a Web Worker", async () => {
  const page = await openTab(context, pages.site.origin);
  const told = await page.evaluate(
    (options) =>
      new Promise((resolve, reject) => {
        const worker = new Worker("/in-worker.js", { type: "module" });
        worker.onerror = reject;
        worker.onmessage = ({ data }) => (data === "ready" ? worker.postMessage(options) : resolve(data));
      }),
    options,
  );
  assertSession(told);
  const warnings = told.events.filter(({ type }) => type === "warning");
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ["storage_blocked"],
  );
  assert.match(warnings[0].message, /there is no local storage here/);
  assert.equal(told.events.at(-1).backend.thread, "worker");
});

test("a service worker, by its own entry point", async () => {
  const page = await openTab(context, pages.site.origin);
  const told = await page.evaluate(async (options) => {
    await navigator.serviceWorker.register("/service-worker.js", { type: "module" });
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
    active.postMessage({ ...options, storage: "memory" }, [port2]);
    return answer;
  }, options);
  assertSession(told);
  assert.equal(told.events.at(-1).backend.thread, "page");
  assert.equal(told.events.at(-1).backend.engine, "simd128");
});

describe("several at a time", () => {
  test("two clients of two apps in a page do not meet", async () => {
    const page = await openTab(context, pages.site.origin);
    const other = await makeApp(manager);
    const users = await page.evaluate(
      async ([one, two]) => {
        const found = await Promise.all([make(one).session(), make(two).session()]);
        return found.map(({ userId }) => userId);
      },
      [options, { ...options, appId: other }],
    );
    assert.equal(new Set(users).size, 2);
  });
});
