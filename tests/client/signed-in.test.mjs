/** Signed-in users: the page's own tokens, against a simulation of today's service, which verifies them. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { makeToken } from "../support/service.mjs";
import { installTarball } from "../support/tarball.mjs";
import { threadCount } from "../support/threads.mjs";
import { makeApp, makeUserKey, startTodaysService } from "../support/todays-service.mjs";

const { entryPoints, remove } = await installTarball();
const { createClient, SaltmineError } = await import(entryPoints.node);
after(remove);

const key = await makeUserKey();
const foreign = await makeUserKey();
const bounded = { timeout: 15_000 };

/** A store that outlives clients. */
function makeStore() {
  const items = new Map();
  return {
    items,
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
}

/** A service with the key, and a client whose callback is `getAuthToken`; its contexts in `calls`. */
async function setUp(t, getAuthToken = () => key.sign(), options = {}, settings = {}) {
  const service = await startTodaysService(settings);
  service.settings.apps[service.appId].publicKeys = [key.entry];
  const [calls, events] = [[], []];
  const common = { baseUrl: service.baseUrl, appId: service.appId, onEvent: (event) => events.push(event) };
  const client = createClient({
    ...common,
    getAuthToken: (context) => {
      calls.push(context);
      return getAuthToken(context, calls.length);
    },
    ...options,
  });
  t.after(async () => {
    client.dispose();
    await service.close();
  });
  const reasons = () => calls.map(({ reason }) => reason);
  return { service, client, calls, events, reasons, common };
}

const chat = (client, text = "Hello") =>
  client.fetch("/run/api/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: text }], stream: false }),
  });

describe("a signed-in session", () => {
  test("is not ended by a store that returns promises", async (t) => {
    const storage = { getItem: async () => "7", setItem: async () => {}, removeItem: async () => {} };
    const { client, events, reasons } = await setUp(t, undefined, { storage });
    await client.session();
    await client.refresh();
    assert.deepEqual(reasons(), ["session", "renewal"]);
    assert.ok(!events.some(({ state }) => state === "signed_out"));
  });

  test("is the callback's token; the service is asked for nothing, and no engine is started", async (t) => {
    const { service, client, events, reasons } = await setUp(t);
    const session = await client.session();
    const { token, expiresAt } = session;
    const { exp } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    assert.deepEqual(session, {
      token,
      expiresAt: new Date(exp * 1_000).toISOString(),
      userId: "user-1",
      appId: service.appId,
      kind: "signed_in",
    });
    assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 3_600_000) < 10_000);
    assert.deepEqual(service.requests, []);
    assert.equal(threadCount(), 0);
    assert.deepEqual(reasons(), ["session"]);
    assert.deepEqual(client.state, { status: "ready", session, error: undefined });
    assert.deepEqual(
      events.map(({ type, state, source }) => [type, state ?? source]),
      [
        ["state", "starting"],
        ["state", "ready"],
        ["ready", "callback"],
      ],
    );
  });

  test("goes with every request, and needs no solution", async (t) => {
    const { service, client, reasons } = await setUp(t, undefined, { challenge: "every-request" });
    assert.deepEqual(await client.challengeHeaders(), {});
    assert.deepEqual(Object.keys(await client.headers()), ["Authorization", "X-Inkeep-App-Id"]);
    const response = await chat(client);
    assert.equal(response.status, 200);
    assert.equal((await response.json()).choices[0].message.content, "Hello");
    const { data } = await (await client.fetch("/run/v1/conversations")).json();
    assert.deepEqual(
      data.map(({ title }) => title),
      ["Hello"],
    );
    assert.deepEqual(service.paths(), ["POST /run/api/chat", "GET /run/v1/conversations"]);
    assert.deepEqual(reasons(), ["session"]);
  });

  test("is one call of the callback for any number of callers; prefetch is one of them", async (t) => {
    const { client, calls } = await setUp(t);
    client.prefetch();
    const sessions = await Promise.all(Array.from({ length: 5 }, () => client.session()));
    assert.equal(new Set(sessions.map(({ token }) => token)).size, 1);
    assert.equal(calls.length, 1);
  });

  for (const algorithm of ["RS256", "EdDSA"])
    test(`of a key for ${algorithm} is accepted by the service`, async (t) => {
      const other = await makeUserKey(algorithm, "key-2");
      const { service, client } = await setUp(t, () => other.sign());
      service.settings.apps[service.appId].publicKeys.push(other.entry);
      assert.equal((await chat(client)).status, 200);
    });
});

describe("a renewal", () => {
  test("takes place 30 s before the expiry, not sooner, while the session is used", bounded, async (t) => {
    const { client, reasons } = await setUp(t, (_, count) => key.sign({ lifetimeS: count === 1 ? 32 : 60 }));
    const first = await client.session();
    assert.equal((await client.session()).token, first.token, "32 s are left");
    await new Promise((resolve) => setTimeout(resolve, 3_200));
    assert.deepEqual(reasons(), ["session", "renewal"], "by a timer");
    assert.notEqual((await client.session()).token, first.token);
    assert.equal(reasons().length, 2);
  });

  test("of a cached token that is about to expire is not repeated at once", async (t) => {
    const token = await key.sign({ lifetimeS: 20 });
    const { client, reasons } = await setUp(t, () => token);
    const session = await client.session();
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual(reasons(), ["session", "renewal"]);
    assert.deepEqual(await client.session(), session, "valid for 20 s");
    assert.equal(reasons().length, 2);
    await client.refresh();
    assert.equal(reasons().length, 3, "refresh() does not wait");
  });

  test("of a cached token that expires later does not delay the next one", bounded, async (t) => {
    const token = await key.sign({ lifetimeS: 31 });
    const { client, reasons } = await setUp(t, (_, count) => (count < 3 ? token : key.sign()));
    await client.session();
    await client.refresh();
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    assert.notEqual((await client.session()).token, token);
    assert.deepEqual(reasons(), ["session", "renewal", "renewal"]);
  });

  test("refresh() calls the callback now", async (t) => {
    const { client, reasons } = await setUp(t, (_, count) => key.sign({ jti: String(count) }));
    const before = await client.session();
    const after = await client.refresh();
    assert.notEqual(after.token, before.token);
    assert.deepEqual(reasons(), ["session", "renewal"]);
  });

  test("that fails leaves the token that is still valid, with a warning", async (t) => {
    const { client, events } = await setUp(t, (_, count) => {
      if (count > 1) throw new Error("the backend is away");
      return key.sign();
    });
    const before = await client.session();
    assert.deepEqual(await client.refresh(), before);
    const [warning] = events.filter(({ type }) => type === "warning");
    assert.equal(warning.code, "refresh_failed");
    assert.match(warning.message, /the backend is away/);
  });

  test("after a 401 takes place once, and the request is sent once more", async (t) => {
    const { service, client, reasons } = await setUp(t, ({ reason }) => {
      return reason === "refused" ? key.sign() : foreign.sign();
    });
    assert.equal((await chat(client)).status, 200);
    assert.deepEqual(reasons(), ["session", "refused"]);
    assert.deepEqual(service.paths(), ["POST /run/api/chat", "POST /run/api/chat"]);
  });

  test("after a 401 that helps nothing is not repeated: the response is the caller's", async (t) => {
    const { service, client, reasons } = await setUp(t, (_, count) => foreign.sign({ jti: String(count) }));
    service.settings.apps[service.appId].allowAnonymous = false;
    const response = await chat(client);
    assert.equal(response.status, 401);
    assert.equal((await response.json()).detail, "Invalid end-user JWT");
    assert.equal((await chat(client)).status, 401);
    assert.deepEqual(reasons(), ["session", "refused"]);
    assert.equal(service.requests.length, 3);
  });

  test("a visitor's clock that is wrong by hours makes no difference", async (t) => {
    for (const hours of [-5, 5]) {
      const { now } = Date;
      const issued = () => key.sign({ iat: Math.floor(now() / 1_000) });
      const { client, calls } = await setUp(t, issued);
      Date.now = () => now() + hours * 3_600_000;
      try {
        const first = await client.session();
        assert.equal((await client.session()).token, first.token);
        assert.equal(calls.length, 1);
      } finally {
        Date.now = now;
      }
    }
  });
});

describe("an error", () => {
  const claims = { sub: "user-1", iat: 1_790_000_000, exp: 1_790_003_600, app: undefined, iss: undefined };
  for (const [what, value, code, message] of [
    ["rejects", () => Promise.reject(new Error("no login")), "auth_token_failed", /no login/],
    [
      "throws",
      () => {
        throw new TypeError("x is not a function");
      },
      "auth_token_failed",
      /x is not a function/,
    ],
    ["returns nothing", () => undefined, "auth_token_invalid", /undefined, not a string/],
    ["returns null", () => null, "auth_token_invalid", /null, not a string/],
    ["returns an object", () => ({ token: "x" }), "auth_token_invalid", /object, not a string/],
    ["returns an empty text", () => "", "auth_token_invalid", /not a JWT/],
    ["returns an opaque token", () => "opaque", "auth_token_invalid", /not a JWT/],
    ["returns broken JSON", () => "e30.e.x", "auth_token_invalid", /not a JWT/],
    [
      "returns a JWT without sub",
      () => makeToken({ ...claims, sub: undefined }),
      "auth_token_invalid",
      /`sub`/,
    ],
    [
      "returns a JWT without iat",
      () => makeToken({ ...claims, iat: undefined }),
      "auth_token_invalid",
      /`iat`/,
    ],
    ["returns a JWT without exp", () => makeToken({ ...claims, exp: "soon" }), "auth_token_invalid", /`exp`/],
    [
      "returns a JWT with an endless exp",
      () => makeToken({ ...claims, exp: 1e300 }),
      "auth_token_invalid",
      /`exp`/,
    ],
    [
      "returns a JWT that never was valid",
      () => makeToken({ ...claims, exp: 5 }),
      "auth_token_invalid",
      /after its `iat`/,
    ],
    [
      "returns an anonymous visitor's token",
      () => makeToken({ ...claims, sub: "anon_1" }),
      "auth_token_invalid",
      /anon_/,
    ],
    ["never settles", () => new Promise(() => {}), "auth_token_failed", /did not settle within 300 ms/],
  ]) {
    test(`a callback that ${what}: ${code}`, bounded, async (t) => {
      const { client, service } = await setUp(t, value, { timeoutMs: 300 });
      const error = await client.session().catch((thrown) => thrown);
      assert.ok(error instanceof SaltmineError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.match(error.message, /^The callback getAuthToken /);
      assert.equal(error.retryable, code === "auth_token_failed");
      assert.equal(client.state.status, "failed");
      assert.deepEqual(service.requests, []);
      await assert.rejects(chat(client), { code });
    });
  }

  test("the cause is the callback's own error; the next call tries again", async (t) => {
    const cause = new Error("no login");
    const { client } = await setUp(t, (_, count) => (count === 1 ? Promise.reject(cause) : key.sign()));
    await assert.rejects(client.session(), (error) => error.cause === cause);
    assert.equal((await client.session()).userId, "user-1");
  });

  for (const value of ["token", 1, null, {}])
    test(`getAuthToken: ${JSON.stringify(value)} is an invalid option`, () => {
      assert.throws(
        () => createClient({ baseUrl: "https://api.example.com", appId: "app_1", getAuthToken: value }),
        { code: "invalid_options", field: "getAuthToken" },
      );
    });
});

describe("giving up", () => {
  test("a caller's abort aborts the callback's signal, with the caller's reason", bounded, async (t) => {
    const { client, calls } = await setUp(t, () => new Promise(() => {}));
    const controller = new AbortController();
    const asking = client.session({ signal: controller.signal });
    const reason = new Error("left");
    await new Promise((resolve) => setTimeout(resolve, 50));
    controller.abort(reason);
    await assert.rejects(asking, (error) => error === reason);
    assert.equal(calls[0].signal.aborted, true);
    assert.equal(calls[0].signal.reason, reason);
  });

  for (const [how, code] of [
    ["dispose", "disposed"],
    ["signOut", "aborted"],
  ])
    test(`${how} ends the wait for the callback`, bounded, async (t) => {
      const { client, calls } = await setUp(t, () => new Promise(() => {}));
      const asking = client.session();
      await new Promise((resolve) => setTimeout(resolve, 50));
      client[how]();
      await assert.rejects(asking, { code });
      assert.equal(calls[0].signal.aborted, true);
    });

  test("dispose in the tick after session() calls no callback", bounded, async (t) => {
    const { client, calls } = await setUp(t);
    const asking = client.session();
    client.dispose();
    await assert.rejects(asking, { code: "disposed" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(calls.length, 0);
  });

  test("after signOut the callback is called again", async (t) => {
    let user = "user-1";
    const { client, reasons } = await setUp(t, () => key.sign({ sub: user }));
    assert.equal((await client.session()).userId, "user-1");
    user = "user-2";
    client.signOut();
    assert.equal(client.state.session, undefined);
    assert.equal((await client.session()).userId, "user-2");
    assert.deepEqual(reasons(), ["session", "session"]);
  });
});

describe("switching", () => {
  test("to a signed-in user forgets the anonymous session; back is another visitor; the user's token is never stored", async (t) => {
    const storage = makeStore();
    const { service, client: user, common } = await setUp(t, undefined, { storage }, { routes: "none" });
    const anonymous = () => {
      const client = createClient({ ...common, storage });
      t.after(() => client.dispose());
      return client;
    };
    const name = `inkeep_session_${service.appId}`;
    const before = await anonymous().session();
    assert.equal(before.kind, "anonymous");
    assert.match(storage.getItem(name), /token/);
    const { token } = await user.session();
    assert.equal(storage.getItem(name), null);
    assert.equal([...storage.items.values()].join().includes(token), false);
    const after = await anonymous().session();
    assert.notEqual(after.userId, before.userId);
    assert.equal(service.requests.at(-1).headers.authorization, undefined, "nothing links the two");
    // The user's next token is no new sign-in.
    await user.refresh();
    assert.match(storage.getItem(name), /token/);
  });

  test("does not take place before there is a token", async (t) => {
    const storage = makeStore();
    const { service, client, common } = await setUp(
      t,
      () => Promise.reject(new Error("no login")),
      { storage },
      { routes: "none" },
    );
    const anonymous = createClient({ ...common, storage });
    t.after(() => anonymous.dispose());
    await anonymous.session();
    await assert.rejects(client.session(), { code: "auth_token_failed" });
    assert.match(storage.getItem(`inkeep_session_${service.appId}`), /token/);
  });
});

test("an app without anonymous visitors refuses them, and takes its users", async (t) => {
  const { service, client, common } = await setUp(t, undefined, {}, { routes: "none" });
  service.settings.apps[service.appId] = makeApp({ allowAnonymous: false, publicKeys: [key.entry] });
  const anonymous = createClient(common);
  t.after(() => anonymous.dispose());
  await assert.rejects(anonymous.session(), { code: "anonymous_not_allowed", status: 401 });
  assert.equal((await chat(client)).status, 200);
});
