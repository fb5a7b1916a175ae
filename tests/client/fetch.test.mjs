/** `client.fetch`: the headers of the run API, and once more where that helps. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { listen } from "../support/http.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { APP_ID, problem } from "../support/service.mjs";
import { installTarball } from "../support/tarball.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const { entryPoints, remove } = await installTarball();
const { createClient } = await import(entryPoints.node);
after(remove);

const OK = { body: { fine: true } };

/** A client, and a run API on the service's own origin: its responses are those of a list, then 200. */
async function setUp(t, answers = [], options = {}, base = "") {
  const service = await startTimedService();
  const seen = [];
  const api = await listen(async (request, response, path) => {
    if (path.startsWith(`${base}/run/auth/`)) {
      const name = path.endsWith("/challenge") ? "challenge" : "session";
      service.requests.push({ name, path, headers: request.headers });
      return service.routes[name](request, response);
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push({
      path,
      method: request.method,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    });
    return answers.shift() ?? OK;
  });
  const client = createClient({ baseUrl: api.origin + base, appId: APP_ID, ...options });
  t.after(async () => {
    client.dispose();
    await api.close();
    await service.close();
  });
  return { service, client, seen, origin: api.origin };
}

test("a path is appended to the path of baseUrl, as in the client's own requests", async (t) => {
  const { client, seen, origin } = await setUp(t, [], {}, "/some/path");
  await client.fetch("/run/api/chat");
  await client.fetch("run/api/chat");
  await client.fetch(" \t/run/api/chat\n");
  await client.fetch(`${origin}/elsewhere`);
  assert.deepEqual(
    seen.map(({ path }) => path),
    [...Array(3).fill("/some/path/run/api/chat"), "/elsewhere"],
  );
});

describe("the headers", () => {
  test("are ours beside the caller's own; the origin goes along where the runtime sends none", async (t) => {
    const { client, seen } = await setUp(t, [], { origin: "https://docs.example.com" });
    const { token } = await client.session();
    const headers = { "Content-Type": "application/json" };
    const response = await client.fetch("/run/api/chat", { method: "POST", headers, body: '{"a":1}' });
    assert.deepEqual(await response.json(), OK.body);
    assert.equal(seen[0].method, "POST");
    assert.equal(seen[0].body, '{"a":1}');
    assert.equal(seen[0].headers.authorization, `Bearer ${token}`);
    assert.equal(seen[0].headers["x-inkeep-app-id"], APP_ID);
    assert.equal(seen[0].headers["content-type"], "application/json");
    assert.equal(seen[0].headers.origin, "https://docs.example.com");
    assert.equal(seen[0].headers["x-inkeep-challenge-solution"], undefined);
  });

  test("with a solution for every request each has its own", async (t) => {
    const { client, seen } = await setUp(t, [], { challenge: "every-request" });
    for (let i = 0; i < 3; i += 1) await client.fetch("/run/api/chat");
    assert.equal(new Set(seen.map(({ headers }) => headers["x-inkeep-challenge-solution"])).size, 3);
  });

  test("of a Request are kept, and what the caller sets is the caller's", async (t) => {
    const { client, seen, origin } = await setUp(t);
    const request = new Request(`${origin}/run/x`, { headers: { "x-one": "1", "X-Inkeep-App-Id": "mine" } });
    await client.fetch(request);
    assert.equal(seen[0].headers["x-one"], "1");
    assert.equal(seen[0].headers["x-inkeep-app-id"], "mine");
  });

  test("go with the global fetch of the moment, and where there is none before a session is", async (t) => {
    const { service, client, seen } = await setUp(t);
    const { fetch } = globalThis;
    t.after(() => Object.assign(globalThis, { fetch }));
    const { session } = service.routes;
    service.routes.session = (...about) => {
      globalThis.fetch = fetch;
      return session(...about);
    };
    globalThis.fetch = undefined;
    assert.equal((await client.fetch("/run/v1/conversations")).status, 200);
    assert.equal(seen.length, 1);
  });

  test("go nowhere but to the service", async (t) => {
    const { client, seen, service } = await setUp(t);
    for (const where of [
      "https://example.com/",
      new URL("https://example.com/"),
      new Request("https://example.com/"),
    ])
      await assert.rejects(client.fetch(where), { code: "invalid_options", field: "input" });
    assert.deepEqual([seen.length, service.requests.length], [0, 0]);
  });
});

describe("a 401", () => {
  test("renews once, with the old token, and the request is sent once more", async (t) => {
    const { client, seen, service } = await setUp(t, [problem(401)]);
    const before = await client.session();
    const response = await client.fetch("/run/api/chat", { method: "POST", body: "again" });
    assert.equal(response.status, 200);
    const after = await client.session();
    assert.equal(after.userId, before.userId);
    assert.deepEqual(
      seen.map(({ headers, body }) => [headers.authorization, body]),
      [
        [`Bearer ${before.token}`, "again"],
        [`Bearer ${after.token}`, "again"],
      ],
    );
    assert.equal(service.requests.at(-1).headers.authorization, `Bearer ${before.token}`);
    assert.equal(service.requests.length, 4);
  });

  test("renews again ten seconds after the last time, though the visitor's clock was put back", async (t) => {
    const { client } = await setUp(t, [problem(401), OK, problem(401)]);
    await client.session();
    assert.equal((await client.fetch("/run/x")).status, 200);
    const [date, monotonic] = [Date.now, performance.now.bind(performance)];
    t.mock.method(Date, "now", () => date() - 3_600_000);
    t.mock.method(performance, "now", () => monotonic() + 11_000);
    assert.equal((await client.fetch("/run/x")).status, 200);
  });

  test("of ten requests at the same time is one renewal", async (t) => {
    const { client, seen, service } = await setUp(t, Array(10).fill(problem(401)));
    await client.session();
    const responses = await Promise.all(Array.from({ length: 10 }, () => client.fetch("/run/x")));
    assert.deepEqual([...new Set(responses.map(({ status }) => status))], [200]);
    assert.equal(service.requests.length, 4);
    assert.equal(seen.length, 20);
  });

  const bytes = new TextEncoder().encode("again");
  const stream = () => new Blob(["once"]).stream();
  const generate = async function* () {
    yield bytes;
  };
  for (const [what, init, sent] of [
    ["a text", { body: "again" }, 2],
    ["bytes", { body: bytes }, 2],
    ["a Blob", { body: new Blob(["again"]) }, 2],
    ["a form", { body: new URLSearchParams({ a: "1" }) }, 2],
    ["nothing", { body: null }, 2],
    ["a stream", { body: stream(), duplex: "half" }, 1],
    ["a generator, as Node takes it", { body: generate(), duplex: "half" }, 1],
  ]) {
    test(`with a body that is ${what}: sent ${sent === 1 ? "once" : "twice"}`, async (t) => {
      const { client, seen } = await setUp(t, [problem(401)]);
      const response = await client.fetch("/run/x", { method: "POST", ...init });
      assert.equal(response.status, sent === 1 ? 401 : 200);
      assert.equal(seen.length, sent);
      assert.equal(new Set(seen.map(({ body }) => body)).size, 1);
    });
  }

  test("of a Request without a body: sent twice", async (t) => {
    const { client, seen, origin } = await setUp(t, [problem(401)]);
    assert.equal((await client.fetch(new Request(`${origin}/run/x`))).status, 200);
    assert.equal(seen.length, 2);
  });

  for (const [what, request] of [
    ["a Request with a body", (origin) => [new Request(`${origin}/run/x`, { method: "POST", body: "once" })]],
    ["a stream", () => ["/run/x", { method: "POST", body: stream(), duplex: "half" }]],
  ])
    test(`of ${what}: returned, and the next request has a renewed token`, async (t) => {
      const { client, seen, service, origin } = await setUp(t, [problem(401)]);
      const before = await client.session();
      const refused = await client.fetch(...request(origin));
      assert.equal(refused.status, 401);
      assert.equal((await refused.json()).status, 401, "the response can be read");
      assert.equal((await client.fetch(...request(origin))).status, 200);
      const after = await client.session();
      assert.notEqual(after.token, before.token);
      assert.deepEqual(
        seen.map(({ headers, body }) => [headers.authorization, body]),
        [before, after].map(({ token }) => [`Bearer ${token}`, "once"]),
      );
      assert.equal(service.requests.length, 4);
    });

  test("to the caller's own Authorization is the caller's", async (t) => {
    const { client, seen } = await setUp(t, [problem(401)]);
    assert.equal((await client.fetch("/run/x", { headers: { Authorization: "Bearer mine" } })).status, 401);
    assert.equal(seen.length, 1);
  });
});

describe("a refused solution", () => {
  for (const reason of ["pow_expired", "pow_invalid", "pow_replayed"]) {
    test(`${reason}: replaced once`, async (t) => {
      const { client, seen } = await setUp(t, [problem(400, reason)], { challenge: "every-request" });
      assert.equal((await client.fetch("/run/x")).status, 200);
      const [first, second] = seen.map(({ headers }) => headers["x-inkeep-challenge-solution"]);
      assert.notEqual(first, second);
    });
  }

  test("with a body that cannot be sent twice: the next request has a fresh solution", async (t) => {
    const { client, seen, service } = await setUp(t, [OK, problem(400, "pow_required")], {
      challenge: "every-request",
    });
    const { challenge } = service.routes;
    service.routes.challenge = async () => ({ status: 404 });
    await client.fetch("/run/x");
    service.routes.challenge = challenge;
    const body = new Blob(["once"]).stream();
    assert.equal((await client.fetch("/run/x", { method: "POST", body, duplex: "half" })).status, 400);
    assert.equal((await client.fetch("/run/x")).status, 200);
    assert.ok(seen[2].headers["x-inkeep-challenge-solution"]);
  });

  test("pow_required, though proof of work was off a moment ago", async (t) => {
    const { client, seen, service } = await setUp(t, [OK, problem(400, "pow_required")], {
      challenge: "every-request",
    });
    const { challenge } = service.routes;
    service.routes.challenge = async () => ({ status: 404 });
    await client.fetch("/run/x");
    service.routes.challenge = challenge;
    assert.equal((await client.fetch("/run/x")).status, 200);
    assert.ok(seen[2].headers["x-inkeep-challenge-solution"]);
  });
});

describe("giving up", () => {
  test("a signal ends the wait for the session, and the request", async (t) => {
    const { client, service, seen } = await setUp(t);
    service.routes.challenge = async () => {};
    await assert.rejects(client.fetch("/run/x", { signal: AbortSignal.timeout(200) }), {
      name: "TimeoutError",
    });
    assert.equal(seen.length, 0);
  });
});

test("the reference server: a chat, and a token that was made worthless", async (t) => {
  const server = await startServer();
  t.after(server.stop);
  const options = { baseUrl: server.baseUrl, appId: DEMO_APP_ID, origin: "http://127.0.0.1" };
  const stored = new Map();
  const storage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, text) => stored.set(key, text),
    removeItem: (key) => stored.delete(key),
  };
  const chat = async (client) => {
    const body = JSON.stringify({ messages: [{ role: "user", content: "Ahoy" }], stream: false });
    const headers = { "Content-Type": "application/json" };
    const response = await client.fetch("/run/api/chat", { method: "POST", headers, body });
    return { status: response.status, text: await response.text() };
  };
  const client = createClient({ ...options, storage });
  assert.match((await chat(client)).text, /Ahoy/);
  // Its signature is wrong now: the server says 401, and hands out another to the next in line.
  const key = `inkeep_session_${DEMO_APP_ID}`;
  const kept = JSON.parse(stored.get(key));
  stored.set(key, JSON.stringify({ ...kept, token: kept.token.replace(/.{10}$/, "AAAAAAAAAA") }));
  const next = createClient({ ...options, storage });
  assert.equal((await chat(next)).status, 200);
  client.dispose();
  next.dispose();
});
