/** The requests of a client, their times, and its reports, with a service that records the requests. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { root } from "../support/paths.mjs";
import {
  APP_ID,
  granted,
  inTheFuture,
  makeChallenge,
  makeToken,
  right,
  solutionOf,
  startService,
} from "../support/service.mjs";
import { installTarball } from "../support/tarball.mjs";
import { threadCount, threadsGone } from "../support/threads.mjs";

const { entryPoints, remove } = await installTarball();
const { createClient } = await import(entryPoints.node);
after(remove);

/** A service and a client of it; the client's events in `events`. */
async function setUp(t, routes, options = {}) {
  const service = await startService(routes);
  const events = [];
  const client = createClient({
    baseUrl: service.baseUrl,
    appId: APP_ID,
    onEvent: (event) => events.push(event),
    ...options,
  });
  t.after(async () => {
    client.dispose();
    await service.close();
  });
  return { service, client, events };
}

const asked = (service) => service.requests.map(({ name }) => name);
const delayed = (route, ms) => async (request) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return route(request);
};
const unsolvable = async () => ({
  body: { ...(await makeChallenge({ maxNumber: 10_000_000 })), challenge: "0".repeat(64) },
});

describe("a session", () => {
  test("nothing is started before it is asked for", async (t) => {
    const { service, events } = await setUp(t);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(asked(service), []);
    assert.deepEqual(events, []);
    assert.equal(threadCount(), 0);
  });

  test("is the token, its end, its user and its app", async (t) => {
    const token = makeToken({ sub: "anon_1" });
    const expiresAt = inTheFuture();
    const { client } = await setUp(t, { session: async () => ({ body: { token, expiresAt, more: 1 } }) });
    assert.deepEqual(await client.session(), {
      token,
      expiresAt,
      userId: "anon_1",
      appId: APP_ID,
      kind: "anonymous",
    });
    assert.deepEqual(await client.headers(), { Authorization: `Bearer ${token}`, "X-Inkeep-App-Id": APP_ID });
  });

  test("a subject beyond ASCII is read as UTF-8", async (t) => {
    const token = makeToken({ sub: "änon_日本_😀" });
    const { client } = await setUp(t, {
      session: async () => ({ body: { token, expiresAt: inTheFuture() } }),
    });
    assert.equal((await client.session()).userId, "änon_日本_😀");
  });

  test("takes one challenge and one request for a session, with the solution and no body", async (t) => {
    const { service, client } = await setUp(t);
    await client.session();
    assert.deepEqual(asked(service), ["challenge", "session"]);
    const [challenge, session] = service.requests;
    assert.equal(session.path, `/run/auth/apps/${APP_ID}/anonymous-session`);
    const solution = JSON.parse(Buffer.from(solutionOf(session), "base64"));
    assert.deepEqual(Object.keys(solution), ["algorithm", "challenge", "number", "salt", "signature"]);
    for (const { headers } of [challenge, session]) {
      assert.equal(headers.authorization, undefined);
      assert.equal(headers.cookie, undefined);
    }
  });

  test("goes without a solution where proof of work is off", async (t) => {
    const { service, client, events } = await setUp(t, { challenge: async () => ({ status: 404 }) });
    await client.session();
    assert.equal(service.requests[1].headers["x-inkeep-challenge-solution"], undefined);
    const { proofOfWork, hashes, solveMs } = events.at(-1);
    assert.deepEqual(
      { proofOfWork, hashes, solveMs },
      { proofOfWork: false, hashes: undefined, solveMs: undefined },
    );
  });

  test("of a service with a rare hash function comes through the engine that has it", async (t) => {
    const { client, events } = await setUp(t, {
      challenge: async () => ({ body: await makeChallenge({ algorithm: "SHA-512" }) }),
    });
    await client.session();
    const { backend, proofOfWork } = events.at(-1);
    assert.equal(proofOfWork, true);
    assert.equal(backend.engine, "scalar");
    assert.match(backend.reason, /hash function/);
    client.dispose();
    await threadsGone(4_500);
  });

  test("ten calls at the same time share one flight", async (t) => {
    const { service, client } = await setUp(t, { session: delayed(right.session, 50) });
    const sessions = await Promise.all(Array.from({ length: 10 }, () => client.session()));
    assert.deepEqual(asked(service), ["challenge", "session"]);
    assert.equal(new Set(sessions.map(({ token }) => token)).size, 1);
    await client.session();
    assert.equal(service.requests.length, 2, "a later call needs no request");
    assert.equal(threadCount(), 1);
    client.dispose();
    await threadsGone(4_500);
  });

  test("ten calls share one failure, and the next one tries again", async (t) => {
    const { service, client } = await setUp(t, { session: async () => ({ status: 403 }) });
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => client.session()));
    assert.deepEqual([...new Set(outcomes.map(({ reason }) => reason.code))], ["origin_not_allowed"]);
    assert.deepEqual(asked(service), ["challenge", "session"]);
    service.routes.session = right.session;
    await client.session();
  });

  test("a challenge that has run out is replaced by a fresh one", async (t) => {
    let first = true;
    const { service, client } = await setUp(t, {
      challenge: async () => {
        const expires = new Date(Date.now() + (first ? 500 : 300_000));
        first = false;
        return { body: await makeChallenge({ expires }) };
      },
    });
    await client.session();
    assert.deepEqual(asked(service), ["challenge", "challenge", "session"]);
  });

  test("the visitor's clock does not matter, the server's does", async (t) => {
    // The server lives an hour ago; its challenge expires five minutes later, by its own clock.
    const past = Date.now() - 3_600_000;
    const { service, client } = await setUp(t, {
      challenge: async () => ({
        headers: { date: new Date(past).toUTCString() },
        body: await makeChallenge({ expires: new Date(past + 300_000) }),
      }),
      session: async () => granted(),
    });
    await client.session();
    assert.deepEqual(asked(service), ["challenge", "session"]);
  });

  test("an expired session is renewed with the old token, so that the visitor stays who they are", async (t) => {
    const tokens = [makeToken({ sub: "anon_1", jti: 1 }), makeToken({ sub: "anon_1", jti: 2 })];
    const ends = [inTheFuture(5_000), inTheFuture()];
    let round = 0;
    const { service, client } = await setUp(t, {
      session: async () => ({ body: { token: tokens[round], expiresAt: ends[round++] } }),
    });
    assert.equal((await client.session()).token, tokens[0]);
    assert.equal((await client.session()).token, tokens[1], "five seconds are too few to work with");
    assert.equal((await client.session()).token, tokens[1]);
    assert.deepEqual(asked(service), ["challenge", "session", "challenge", "session"]);
    assert.equal(service.requests[1].headers.authorization, undefined);
    assert.equal(service.requests[3].headers.authorization, `Bearer ${tokens[0]}`);
  });

  test("after signOut the next visitor is somebody else", async (t) => {
    const { service, client } = await setUp(t);
    const first = await client.session();
    client.signOut();
    const second = await client.session();
    assert.notEqual(first.userId, second.userId);
    assert.equal(service.requests.at(-1).headers.authorization, undefined);
  });
});

describe("options", () => {
  test("an origin is sent, a base path is kept, an app id is escaped", async (t) => {
    const service = await startService();
    t.after(service.close);
    const appId = "app/with space&ä";
    service.routes.session = async () => ({
      body: { token: makeToken({ app: appId }), expiresAt: inTheFuture() },
    });
    const client = createClient({
      baseUrl: `${service.baseUrl}/some/path/`,
      appId,
      origin: "https://docs.example.com/page?x=1",
    });
    await client.session();
    assert.deepEqual(
      service.requests.map(({ path }) => path),
      [
        "/some/path/run/auth/challenge",
        "/some/path/run/auth/apps/app%2Fwith%20space%26%C3%A4/anonymous-session",
      ],
    );
    assert.equal(service.requests[1].headers.origin, "https://docs.example.com");
    client.dispose();
  });

  test("maxNumber is the ceiling of a challenge", async (t) => {
    const { client } = await setUp(t, {}, { maxNumber: 4_999 });
    await assert.rejects(client.session(), { code: "maxnumber_too_large" });
  });

  const good = { baseUrl: "https://api.example.com", appId: "app_1" };
  for (const [what, options, field] of [
    ["nothing", undefined, "options"],
    ["null", null, "options"],
    ["no baseUrl", { appId: "app_1" }, "baseUrl"],
    ["a relative baseUrl", { ...good, baseUrl: "/api" }, "baseUrl"],
    ["a baseUrl with a query", { ...good, baseUrl: "https://api.example.com/?x=1" }, "baseUrl"],
    ["a baseUrl with a fragment", { ...good, baseUrl: "https://api.example.com/#x" }, "baseUrl"],
    ["a baseUrl with a user", { ...good, baseUrl: "https://u:p@api.example.com" }, "baseUrl"],
    ["a baseUrl that is no http", { ...good, baseUrl: "ftp://example.com" }, "baseUrl"],
    ["no appId", { baseUrl: "https://api.example.com" }, "appId"],
    ["an empty appId", { ...good, appId: "" }, "appId"],
    ["an appId with a lone surrogate", { ...good, appId: "app_\ud800" }, "appId"],
    ["an appId that is another path", { ...good, appId: ".." }, "appId"],
    ["an appId that no header can have", { ...good, appId: "app_€" }, "appId"],
    ["an appId with a line break", { ...good, appId: "app_1\n" }, "appId"],
    ["an origin that is no URL", { ...good, origin: "example" }, "origin"],
    ["a storage nobody has", { ...good, storage: "cookie" }, "storage"],
    ["a storage without removeItem", { ...good, storage: { getItem() {}, setItem() {} } }, "storage"],
    ["a challengePath that is a URL", { ...good, challengePath: "https://example.com/" }, "challengePath"],
    ["a challengePath of another host", { ...good, challengePath: "//example.com/" }, "challengePath"],
    ["a challengePath that is no text", { ...good, challengePath: 1 }, "challengePath"],
    ["a getAuthToken that is none", { ...good, getAuthToken: "token" }, "getAuthToken"],
    ["a listener that is none", { ...good, onEvent: "log" }, "onEvent"],
    ["a timeout of 0", { ...good, timeoutMs: 0 }, "timeoutMs"],
    ["no workers at all", { ...good, workers: 0 }, "workers"],
    ["an engine of version 1 only", { ...good, engine: "javascript" }, "engine"],
    ["an engine that is no text", { ...good, engine: {} }, "engine"],
    ["a fractional maxNumber", { ...good, maxNumber: 1.5 }, "maxNumber"],
  ]) {
    test(`${what} → invalid_options`, () => {
      const message = new RegExp(`^Invalid option \`${field}\`: must .+\\.$`);
      assert.throws(() => createClient(options), {
        name: "SaltmineError",
        code: "invalid_options",
        field,
        message,
      });
    });
  }

  for (const [name, value] of [
    ["workerUrl", "/x"],
    ["timeout", 5],
    ["baseURL", null],
    ["constructor", 1],
  ])
    test(`${name}, which is no option → invalid_options`, () => {
      assert.throws(() => createClient({ ...good, [name]: value }), {
        code: "invalid_options",
        field: name,
        message: new RegExp(`^Invalid option \`${name}\`: .+ baseUrl, appId, .+ timeoutMs.+\\.$`),
      });
    });

  test("an option that does not exist may be undefined", () => {
    createClient({ ...good, workerUrl: undefined });
  });

  test("every documented option exists", async () => {
    const page = await readFile(join(root, "docs", "client.md"), "utf8");
    const [, table] = /## Options\n([^]+?)\n## /.exec(page);
    const names = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    assert.ok(names.length > 10);
    for (const name of names)
      assert.throws(
        () => createClient({ ...good, [name]: Symbol.iterator }),
        ({ message }) => / must /.test(message),
      );
  });
});

describe("events", () => {
  test("tell every state in order, with the backend, and what it took", async (t) => {
    const { client, events } = await setUp(t);
    const session = await client.session();
    const states = events.filter(({ type }) => type === "state");
    assert.deepEqual(
      states.map(({ state }) => state),
      ["starting", "challenge", "solving", "session", "ready"],
    );
    const backend = { engine: "simd128", thread: "worker" };
    for (const { backend: told } of states.slice(2)) assert.deepEqual(told, backend);
    const { tookMs, solveMs, hashes, ...ready } = events.at(-1);
    assert.deepEqual(ready, { type: "ready", session, source: "network", proofOfWork: true, backend });
    assert.ok(hashes > 0 && hashes <= 5_001, `${hashes} hashes`);
    assert.ok(solveMs > 0 && solveMs < tookMs);
  });

  test("a listener that throws stops nothing, and its error is not swallowed", async (t) => {
    const uncaught = [];
    const original = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => uncaught.push(error.message));
    t.after(() => {
      process.removeAllListeners("uncaughtException");
      for (const listener of original) process.on("uncaughtException", listener);
    });
    const { client } = await setUp(
      t,
      {},
      {
        onEvent: () => {
          throw new Error("the listener's own");
        },
      },
    );
    assert.match((await client.session()).userId, /^anon_/);
    assert.ok(uncaught.length >= 5, `${uncaught.length} errors`);
    assert.deepEqual([...new Set(uncaught)], ["the listener's own"]);
  });
});

/** A client that hangs fails its test rather than the whole run. */
const bounded = { timeout: 15_000 };

describe("giving up", () => {
  test("an abort before the call starts nothing", bounded, async (t) => {
    const { service, client } = await setUp(t);
    for (const reason of ["left", new TypeError("left"), undefined]) {
      const signal = AbortSignal.abort(reason);
      await assert.rejects(client.session({ signal }), (thrown) => thrown === signal.reason);
    }
    assert.deepEqual(asked(service), []);
  });

  for (const [when, routes] of [
    ["while the challenge is awaited", { challenge: async () => {} }],
    ["while it searches", { challenge: unsolvable }],
    ["while the session is awaited", { session: async () => {} }],
  ]) {
    test(`an abort ${when} ends it at once`, bounded, async (t) => {
      const { client, service } = await setUp(t, routes);
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 300);
      const began = performance.now();
      await assert.rejects(client.session({ signal: controller.signal }), { name: "AbortError" });
      assert.ok(performance.now() - began < 1_500, `${performance.now() - began} ms`);
      // The worker is free again: it serves the next call.
      Object.assign(service.routes, right);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await client.session();
      assert.equal(threadCount(), 1);
      client.dispose();
      await threadsGone(4_500);
    });
  }

  test("one caller's abort does not take the others' session", bounded, async (t) => {
    const { service, client } = await setUp(t, { session: delayed(right.session, 200) });
    const controller = new AbortController();
    const leaving = assert.rejects(client.session({ signal: controller.signal }), { name: "AbortError" });
    const staying = client.session();
    controller.abort();
    await leaving;
    assert.match((await staying).userId, /^anon_/);
    assert.deepEqual(asked(service), ["challenge", "session"]);
  });

  for (const state of ["starting", "challenge", "solving", "session"]) {
    for (const [how, code] of [
      ["dispose", "disposed"],
      ["signOut", "aborted"],
    ]) {
      test(`${how} in the listener of ${state} ends the call`, bounded, async (t) => {
        const { service, client } = await setUp(
          t,
          {},
          { onEvent: (event) => event.state === state && client[how]() },
        );
        await assert.rejects(client.session(), { code });
        if (state === "starting") assert.deepEqual(asked(service), []);
        client.dispose();
        await threadsGone(4_500);
      });
    }
  }

  test("signOut in the listener of ready keeps nothing", bounded, async (t) => {
    let signedOut = false;
    const onEvent = (event) => {
      if (event.type !== "ready" || signedOut) return;
      signedOut = true;
      client.signOut();
    };
    const { client } = await setUp(t, {}, { onEvent });
    const first = await client.session();
    assert.notEqual((await client.session()).userId, first.userId);
  });

  test("dispose ends what is under way, and every later call", bounded, async (t) => {
    const { client } = await setUp(t, { session: async () => {} });
    setTimeout(() => client.dispose(), 300);
    await assert.rejects(client.session(), { code: "disposed" });
    await threadsGone(4_500);
    await assert.rejects(client.session(), { code: "disposed" });
    await assert.rejects(client.headers(), { code: "disposed" });
  });

  test("signOut ends a pending request, whose session is not kept", bounded, async (t) => {
    const { service, client } = await setUp(t, { session: delayed(right.session, 300) });
    const flying = assert.rejects(client.session(), { code: "aborted" });
    setTimeout(() => client.signOut(), 150);
    await flying;
    const { userId } = await client.session();
    assert.match(userId, /^anon_/);
    assert.equal(service.requests.at(-1).headers.authorization, undefined);
  });
});
