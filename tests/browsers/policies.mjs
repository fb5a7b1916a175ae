/** The engine that a client uses under each policy and each fault, against the reference server. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { workersEnded } from "../support/browsers/index.mjs";
import { call, eventsOf, PAGE_GLOBALS } from "../support/client-pages.mjs";
import { BLANK_PAGE } from "../support/static.mjs";

const ENDED_MS = 4_500;
/** Less than the handshake's limit of 10 s: the client does not wait for a worker that fails at once. */
const SOON_MS = 8_000;
const WORKER = "/saltmine/worker.js";
const WASM = /\.wasm$/;

const NO_WASM = /unsafe-eval|blocked by CSP/;
const NO_WORKER = /^no worker: .+/;
const [WORKS, SLOWER, ON_PAGE] = [
  { engine: "simd128", thread: "worker" },
  { engine: "javascript", thread: "worker" },
  { engine: "simd128", thread: "page", reason: NO_WORKER },
];

/** `[what, the site's policy or fault, the engine that is expected]`; one without a `reason` gives none. */
const EXPECTATIONS = [
  ["without a policy", {}, WORKS],
  [
    "script-src with 'wasm-unsafe-eval', worker-src 'self'",
    { policy: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" },
    WORKS,
  ],
  ["script-src 'self'", { policy: "script-src 'self'" }, { ...SLOWER, reason: NO_WASM }],
  ["worker-src 'none'", { policy: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'" }, ON_PAGE],
  [
    "neither wasm nor workers",
    { policy: "script-src 'self'; worker-src 'none'" },
    { engine: "javascript", thread: "page", reason: /^no worker: .+; .*(unsafe-eval|CSP)/s },
  ],
  ["require-trusted-types-for 'script'", { policy: "require-trusted-types-for 'script'" }, ON_PAGE],
  ["worker file missing", { answer: (path) => path === WORKER && { status: 404, body: "" } }, ON_PAGE],
  [
    "worker file is a page",
    { answer: (path) => path === WORKER && { type: "text/html", body: BLANK_PAGE } },
    ON_PAGE,
  ],
  [
    "wasm of a wrong media type",
    { answer: (path) => WASM.test(path) && { type: "application/octet-stream" } },
    WORKS,
  ],
  [
    "wasm missing",
    { answer: (path) => WASM.test(path) && { status: 404, body: "" } },
    { ...SLOWER, reason: /^simd128: .+ answered 404; scalar: .+ answered 404$/ },
  ],
  [
    "wasm truncated",
    { answer: (path, file) => WASM.test(path) && { body: file.subarray(0, 1000) } },
    { ...SLOWER, reason: /^simd128: .+; scalar: .+$/s },
  ],
];

/** In the page: how often a timer comes during a search that takes a while. */
async function countTimers(engine) {
  let timers = 0;
  const timer = setInterval(() => {
    timers += 1;
  }, 5);
  const hex = "0".repeat(64);
  const maxnumber = engine === "javascript" ? 500_000 : 3_000_000;
  const challenge = { algorithm: "SHA-256", challenge: hex, salt: "salt", signature: hex, maxnumber };
  const code = await saltmine.solve(challenge, { workers: 4 }).catch(({ code }) => code);
  clearInterval(timer);
  return { code, timers };
}

async function assertSession(page, { engine, thread, reason }) {
  const began = performance.now();
  const { userId, code, message } = await call(page, "session");
  assert.match(String(userId), /^anon_/, `${code}: ${message}`);
  const ms = performance.now() - began;
  assert.ok(ms < SOON_MS, `it took ${ms} ms`);
  const { backend } = (await eventsOf(page, "ready"))[0];
  assert.deepEqual([backend.engine, backend.thread], [engine, thread], backend.reason);
  if (reason) assert.match(backend.reason, reason);
  else assert.equal(backend.reason, undefined);
  const warnings = (await eventsOf(page, "warning")).map(({ code }) => code);
  assert.deepEqual(warnings, thread === "page" ? ["page_thread"] : []);
  await page.evaluate(() => client.dispose());
  await workersEnded(page, ENDED_MS);
}

export function testPolicies(browser, { server, startSite, openClient, tarball }) {
  /** A page under a policy. */
  async function pageUnder(t, { policy, ...options }) {
    const headers = policy && { "content-security-policy": policy };
    const { origin } = await startSite(t, { ...options, headers });
    return openClient(t, browser, origin);
  }

  for (const [what, site, expected] of EXPECTATIONS) {
    test(`${what}: ${expected.engine} in a ${expected.thread}`, async (t) => {
      const page = await pageUnder(t, site);
      await assertSession(page, expected);
      if (expected.thread !== "page") return;
      // Only Chromium reports long tasks: tests/package/engine-selection.matrix.mjs measures them.
      const { code, timers } = await page.evaluate(countTimers, expected.engine);
      assert.equal(code, "no_solution");
      assert.ok(timers >= 10, `a timer came only ${timers} times`);
    });
  }

  test("a default policy for trusted types gives the worker back", async (t) => {
    const policy = `trustedTypes.createPolicy("default", {
      createScriptURL: (url) => (new URL(url, location.href).origin === location.origin ? url : null),
    });`;
    const page = await pageUnder(t, {
      policy: "require-trusted-types-for 'script'; trusted-types default",
      files: {
        "/": `${BLANK_PAGE}<script src="/policy.js"></script><script type="module" src="/page.js"></script>`,
        "/policy.js": policy,
      },
    });
    await assertSession(page, WORKS);
  });

  test("connect-src without the service: an error that names the directive", async (t) => {
    const page = await pageUnder(t, { policy: "connect-src 'self'" });
    const { code, message } = await call(page, "session");
    assert.equal(code, "network");
    assert.match(message, /connect-src/);
    await page.evaluate(() => client.dispose());
    await workersEnded(page, ENDED_MS);
  });

  test("no engine's file is there: an error with every reason, and no worker", async (t) => {
    const page = await pageUnder(t, {
      answer: (path) => /wasm$|javascript\.js$/.test(path) && { status: 404, body: "" },
    });
    const { code, message } = await call(page, "session");
    assert.equal(code, "engine_unavailable");
    assert.match(message, /simd128: .+; scalar: .+; on the page: .+; javascript: .+/);
    await workersEnded(page, ENDED_MS);
  });

  describe("a script of another origin", () => {
    test("the classic script starts its worker by the documented policy", async (t) => {
      const { origin: cdn } = await startSite(t);
      const page = await pageUnder(t, {
        policy:
          `script-src 'self' ${cdn} 'wasm-unsafe-eval'; worker-src blob: ${cdn}; ` +
          `connect-src ${cdn} ${server.baseUrl}`,
        files: {
          "/": `${BLANK_PAGE}<script src="${cdn}/saltmine/saltmine.global.js"></script>
            <script src="/page.js"></script>`,
          "/page.js": PAGE_GLOBALS,
        },
      });
      await assertSession(page, WORKS);
    });

    test("the module works in a worker", async (t) => {
      const { origin: cdn } = await startSite(t);
      const script = `import * as saltmine from "${cdn}${tarball.entryPoints.web}";${PAGE_GLOBALS}`;
      await assertSession(await pageUnder(t, { files: { "/page.js": script } }), WORKS);
    });
  });
}
