/** Sessions by challenges of ALTCHA version 2: the client against the reference server, at its default difficulty. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { threadCount, threadsGone } from "../support/threads.mjs";
import {
  call,
  eventsOf,
  makeClient,
  openTab,
  pageModule,
  startPages,
  until,
} from "../support/client-pages.mjs";
import { DEMO_APP_ID, makeApp, startServer, USUAL_PRICE } from "../support/server.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { workersGone } from "../support/browser.mjs";

const HEADER = "X-Inkeep-Challenge-Solution";
const MANAGEMENT_KEY = "a management key for this test";
const scriptPage = (script) => `${BLANK_PAGE}<script src="/saltmine/${script}"></script>
  <script>const events = [];
    const make = (options) => saltmine.createClient({ onEvent: (event) => events.push(event), ...options });
    Object.assign(globalThis, { saltmine, events, make });</script>`;
const pages = await startPages({
  files: { "/script": scriptPage("saltmine.global.js") },
  headers: { "access-control-allow-origin": "*" },
});
/** The pages of a site with a policy of its own. */
const content = {
  folders: { "/saltmine/": pages.tarball.dist },
  files: {
    "/": `${BLANK_PAGE}<script type="module">${pageModule(pages.tarball.entryPoints.web)}</script>`,
    "/inline": scriptPage("inline.global.js"),
  },
};
const { createClient } = await import(pages.tarball.entryPoints.node);
const server = await startServer({
  ...USUAL_PRICE,
  INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: MANAGEMENT_KEY,
});
const dear = await startServer({ SALTMINE_POW_COUNTER_MIN: "20000", SALTMINE_POW_COUNTER_MAX: "20000" });
after(async () => {
  await pages.close();
  await server.stop();
  await dear.stop();
});

test("a challenge that expires during the search is replaced once, and the second one is an error", async (t) => {
  const hard = await startServer({
    SALTMINE_POW_COUNTER_MIN: "190000",
    SALTMINE_POW_COUNTER_MAX: "190000",
    INKEEP_POW_CHALLENGE_TTL_SECONDS: "4",
  });
  t.after(() => hard.stop());
  const states = [];
  const onEvent = (event) => event.type === "state" && states.push(event.state);
  const client = createClient({ baseUrl: hard.baseUrl, appId: DEMO_APP_ID, origin: hard.baseUrl, onEvent });
  t.after(() => client.dispose());
  const began = performance.now();
  await assert.rejects(client.session(), { code: "pow_expired" });
  assert.ok(performance.now() - began < 12_000, "the search took longer than the challenge is valid");
  assert.equal(states.filter((state) => state === "challenge").length, 2);
});

/** A challenge of the default difficulty takes this many keys. */
const isUsual = (keys) => keys > 400 && keys <= 900;

/** The solution in a header's envelope. */
const readSolution = (header) => {
  const { payload } = JSON.parse(Buffer.from(header, "base64"));
  return JSON.parse(Buffer.from(payload, "base64"));
};

/** Asserts what the events of a session report at the default difficulty. */
function assertEvents(events, backend) {
  const ready = events.find(({ type }) => type === "ready");
  assert.ok(isUsual(ready.keys), `${ready.keys} keys`);
  assert.equal(ready.hashes, undefined);
  assert.equal(ready.proofOfWork, true);
  assert.ok(ready.solveMs > 0 && ready.solveMs < ready.tookMs);
  assert.deepEqual([ready.backend.engine, ready.backend.thread], backend);
  assert.deepEqual(events.find(({ state }) => state === "session").backend, ready.backend);
  const progress = events.filter(({ type }) => type === "progress");
  assert.ok(progress.length > 0, "no progress");
  let before = 0;
  for (const { searched, total, share, keysPerSecond } of progress) {
    assert.deepEqual([total, share], [null, null]);
    assert.ok(searched > before && searched <= ready.keys && keysPerSecond > 0);
    before = searched;
  }
}

describe("Node", () => {
  const setUp = (t, options = {}, { baseUrl } = server) => {
    const events = [];
    const onEvent = (event) => events.push(event);
    const origin = "http://127.0.0.1";
    const client = createClient({ baseUrl, appId: DEMO_APP_ID, origin, onEvent, ...options });
    t.after(async () => {
      client.dispose();
      await threadsGone(4_500);
    });
    return { client, events };
  };

  test("a session; the events report the search of keys", async (t) => {
    const { client, events } = setUp(t, { workers: 2 });
    const { token, userId } = await client.session();
    assert.match(userId, /^anon_/);
    assert.equal(token.split(".").length, 3);
    assertEvents(events, ["simd128", "worker"]);
  });

  test("the option `workers` is the most threads that derive keys", async (t) => {
    const most = async (workers) => {
      let most = 0;
      const onEvent = ({ type }) => type === "progress" && (most = Math.max(most, threadCount()));
      const { client } = setUp(t, { workers, onEvent });
      await client.session();
      client.dispose();
      await threadsGone(4_500);
      return most;
    };
    // One thread more runs the flow.
    assert.equal(await most(1), 2);
    assert.equal(await most(3), 4);
  });

  for (const engine of ["simd128", "scalar", "webcrypto"])
    test(`the option \`engine\`: ${engine}`, async (t) => {
      const { client, events } = setUp(t, { engine, workers: 2 });
      await client.session();
      assertEvents(events, [engine, "worker"]);
    });

  test("client.fetch brings a solution of its own with every request; the next ones are prepared", async (t) => {
    const sent = [];
    const spy = (input, init) => {
      const request = new Request(input, init);
      if (request.url.endsWith("/run/api/chat")) sent.push(request.headers.get(HEADER));
      return fetch(request);
    };
    const { client } = setUp(t, { challenge: "every-request", workers: 2, fetch: spy });
    const chat = () =>
      client.fetch("/run/api/chat", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ messages: [{ role: "user", content: "Ahoy" }], stream: false }),
      });
    for (let round = 0; round < 3; round += 1) assert.equal((await chat()).status, 200);
    const nonces = sent.map((header) => readSolution(header).challenge.parameters.nonce);
    assert.equal(new Set(nonces).size, 3);
  });

  test("a solution is good for one session", async (t) => {
    const { client } = setUp(t);
    const headers = await client.challengeHeaders();
    const { solution, challenge } = readSolution(headers[HEADER]);
    assert.equal(challenge.parameters.algorithm, "PBKDF2/SHA-256");
    assert.ok(solution.counter >= 400 && solution.counter <= 800, `${solution.counter}`);
    const open = async () => {
      const url = `${server.baseUrl}/run/auth/apps/${DEMO_APP_ID}/anonymous-session`;
      const sent = { Origin: "http://127.0.0.1", ...headers };
      const { token, reason } = await (await fetch(url, { method: "POST", headers: sent })).json();
      return token ? "a session" : reason;
    };
    assert.equal(await open(), "a session");
    assert.equal(await open(), "pow_replayed");
  });

  for (const challenge of ["session", "every-request"])
    test(`an app that a server with version 2 only does not know (${challenge}): app_not_found`, async (t) => {
      const strict = await startServer({ SALTMINE_POW_VERSION: "2-only" });
      t.after(strict.stop);
      const paths = [];
      const spy = (url, init) => {
        paths.push(new URL(url).pathname);
        return fetch(url, init);
      };
      const appId = "app_0000000000000000";
      const { client } = setUp(t, { appId, challenge, fetch: spy }, strict);
      await assert.rejects(client.session(), { code: "app_not_found", status: 404 });
      const session = `/run/auth/apps/${appId}/anonymous-session`;
      assert.deepEqual(paths, ["/run/auth/challenge", "/run/auth/pow/challenge", session]);
    });

  for (const [how, end] of [
    ["an abort", (client, controller, reason) => controller.abort(reason)],
    ["dispose()", (client) => client.dispose()],
    ["signOut()", (client) => client.signOut()],
  ]) {
    test(`${how} during the search ends it and its threads`, { timeout: 20_000 }, async (t) => {
      const reason = new Error("the visitor left");
      const controller = new AbortController();
      let searching;
      const hasBegun = new Promise((resolve) => (searching = resolve));
      const onEvent = ({ type }) => type === "progress" && searching();
      const { client } = setUp(t, { workers: 2, onEvent }, dear);
      const session = client.session({ signal: controller.signal });
      session.catch(() => {});
      await hasBegun;
      assert.equal(threadCount(), 3);
      end(client, controller, reason);
      await assert.rejects(session, (error) =>
        how === "an abort" ? error === reason : error.code === (how === "dispose()" ? "disposed" : "aborted"),
      );
      // The thread of the flow is kept for the next one.
      await until("the end of the search", () => threadCount() <= 1, 2_000);
      client.dispose();
      await threadsGone(4_500);
    });
  }
});

describe("Chromium", () => {
  /** A page with a client, and the names of the package's files that it has requested. */
  async function setUp(t, options = {}, { policy, path = "/", baseUrl = server.baseUrl } = {}) {
    const context = await pages.browser.newContext();
    t.after(() => context.close());
    const files = [];
    context.on("request", (request) => {
      const [, file] = /\/saltmine\/([^/]+)$/.exec(request.url()) ?? [];
      files.push(file ?? new URL(request.url()).pathname);
    });
    const site = policy
      ? await serveFiles({ ...content, headers: { "content-security-policy": policy } })
      : pages.site;
    if (policy) t.after(site.close);
    const page = await openTab(context, site.origin + path);
    await makeClient(page, { baseUrl, appId: DEMO_APP_ID, ...options });
    return { page, files };
  }

  const assertSession = ({ userId, code, message }) =>
    assert.match(String(userId), /^anon_/, `${code}: ${message}`);
  const keyFiles = (files) => files.filter((file) => /^(keys|kdf-)/.test(file)).sort();

  test("a session; the events report the search, its module is requested with the challenge", async (t) => {
    const { page, files } = await setUp(t, { workers: 2 });
    assertSession(await call(page, "session"));
    assertEvents(await eventsOf(page), ["simd128", "worker"]);
    assert.deepEqual([...new Set(keyFiles(files))], ["kdf-sha.wasm", "kdf-worker.js", "keys.js"]);
    assert.equal(files.filter((file) => file === "kdf-sha.wasm").length, 1);
    const place = (file) => files.indexOf(file);
    assert.ok(place("/run/auth/challenge") < place("keys.js"), files.join(" "));
    await page.evaluate(() => client.dispose());
    await workersGone(page, 4_500);
  });

  test("a page of a service with version 1 loads nothing of it", async (t) => {
    const key = MANAGEMENT_KEY;
    const old = await startServer({ SALTMINE_POW_VERSION: "1", INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: key });
    t.after(old.stop);
    const { page, files } = await setUp(t, {}, { baseUrl: old.baseUrl });
    assertSession(await call(page, "session"));
    const { hashes, keys } = (await eventsOf(page, "ready"))[0];
    assert.ok(hashes > 0 && keys === undefined);
    assert.deepEqual(keyFiles(files), []);
  });

  test("a page whose origin the app does not allow gets the server's reason", async (t) => {
    const appId = await makeApp(
      { baseUrl: server.baseUrl, key: MANAGEMENT_KEY },
      { allowedDomains: ["docs.example.com"] },
    );
    const { page } = await setUp(t, { appId });
    assert.equal((await call(page, "session")).code, "origin_not_allowed");
  });

  test("the module is compiled once for all challenges of a page", async (t) => {
    const { page, files } = await setUp(t, { challenge: "every-request", workers: 2 });
    for (let round = 0; round < 3; round += 1)
      assert.ok((await call(page, "headers"))[HEADER], `round ${round}`);
    assert.equal(files.filter((file) => file === "kdf-sha.wasm").length, 1);
  });

  test("an abort during the search rejects with the signal's reason, and the workers end", async (t) => {
    const { page } = await setUp(t, { workers: 2 }, { baseUrl: dear.baseUrl });
    await page.evaluate(() => {
      globalThis.controller = new AbortController();
      globalThis.reason = new Error("the visitor left");
      globalThis.outcome = client.session({ signal: controller.signal }).catch((error) => error === reason);
    });
    await until("the search", async () => (await eventsOf(page, "progress")).length > 0, 10_000);
    await until("both workers and the client's", () => page.workers().length === 3);
    assert.equal(
      await page.evaluate(() => {
        controller.abort(reason);
        return outcome;
      }),
      true,
    );
    await until("the end of the workers", () => page.workers().length <= 1);
    await page.evaluate(() => client.dispose());
    await workersGone(page, 4_500);
  });

  test("dispose() during the search ends it and its workers", async (t) => {
    const { page } = await setUp(t, { workers: 2 }, { baseUrl: dear.baseUrl });
    await page.evaluate(() => {
      globalThis.outcome = client.session().catch(({ code }) => code);
    });
    await until("the search", async () => (await eventsOf(page, "progress")).length > 0, 10_000);
    await page.evaluate(() => client.dispose());
    assert.equal(await page.evaluate(() => outcome), "disposed");
    await workersGone(page, 4_500);
  });

  test("the option `engine`: only the files of that engine are loaded", async (t) => {
    for (const [engine, file] of [
      ["scalar", ["kdf-sha-scalar.wasm"]],
      ["webcrypto", []],
    ]) {
      const { page, files } = await setUp(t, { engine, workers: 1 });
      assertSession(await call(page, "session"));
      assertEvents(await eventsOf(page), [engine, "worker"]);
      assert.deepEqual([...new Set(keyFiles(files))], [...file, "kdf-worker.js", "keys.js"]);
    }
  });

  test("where workers are refused, the page's own thread derives the keys", async (t) => {
    const { page } = await setUp(t, {}, { policy: "worker-src 'none'" });
    assertSession(await call(page, "session"));
    const [{ backend }] = await eventsOf(page, "ready");
    assert.equal(backend.thread, "page");
    assert.match(backend.reason, /no worker/);
  });

  test("where WebAssembly is refused, WebCrypto derives the keys", async (t) => {
    const policy = `script-src 'self' 'unsafe-inline'; connect-src 'self' ${server.baseUrl}`;
    const { page } = await setUp(t, { workers: 2 }, { policy });
    assertSession(await call(page, "session"));
    const [{ backend }] = await eventsOf(page, "ready");
    assert.deepEqual([backend.engine, backend.thread], ["webcrypto", "worker"]);
    assert.match(backend.reason, /WebAssembly|wasm/i);
  });

  test("assetsUrl is where the files of the search are too", async (t) => {
    const { page, files } = await setUp(t, {}, { path: "/script" });
    assertSession(await call(page, "session"));
    assert.ok(files.includes("keys.js") && files.includes("kdf-sha.wasm"));
    const assetsUrl = `${pages.plainOrigin}/saltmine/`;
    const elsewhere = await setUp(t, { assetsUrl });
    const asked = [];
    elsewhere.page.context().on("request", (request) => asked.push(request.url()));
    assertSession(await call(elsewhere.page, "session"));
    for (const file of ["kdf-worker.js", "kdf-sha.wasm"])
      assert.ok(asked.includes(assetsUrl + file), `${file}: ${asked.join(" ")}`);
  });

  test("the one-file entry point has the search in it, and requests no file", async (t) => {
    for (const [policy, backend] of [
      ["worker-src blob:", ["simd128", "worker"]],
      // One thread uses the faster of two engines.
      ["worker-src 'none'", [undefined, "page"]],
      ["worker-src blob:; script-src 'self' 'unsafe-inline'", ["webcrypto", "worker"]],
    ]) {
      const { page, files } = await setUp(t, { workers: 2 }, { path: "/inline", policy });
      assertSession(await call(page, "session"));
      const { keys, backend: used } = (await eventsOf(page, "ready"))[0];
      assert.ok(isUsual(keys));
      const [engine = used.engine, thread] = backend;
      assert.deepEqual([used.engine, used.thread], [engine, thread]);
      assert.deepEqual(keyFiles(files), []);
    }
  });
});
