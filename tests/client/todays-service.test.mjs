/** The client with a simulation of today's service: both generations of the challenge's route, and refusals without a reason. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { installTarball } from "../support/tarball.mjs";
import { makeApp, problem, startTodaysService } from "../support/todays-service.mjs";

const { entryPoints, remove } = await installTarball();
const { createClient, SaltmineError } = await import(entryPoints.node);
after(remove);

const NEWER = "GET /run/auth/challenge";
const OLDER = "GET /run/auth/pow/challenge";
const DAY_MS = 86_400_000;
const bounded = { timeout: 20_000 };

/** A service, a client, and `again()`, another client of the same page. */
async function setUp(t, settings, options = {}) {
  const service = await startTodaysService(settings);
  const clients = [];
  const again = (more = {}, create = createClient) => {
    const client = create({ baseUrl: service.baseUrl, appId: service.appId, ...options, ...more });
    clients.push(client);
    return client;
  };
  t.after(async () => {
    for (const client of clients) client.dispose();
    await service.close();
  });
  const session = `POST /run/auth/apps/${service.appId}/anonymous-session`;
  /** The requests since the last call of this. */
  const asked = () => service.requests.splice(0).map(({ method, path }) => `${method} ${path}`);
  return { service, client: again(), again, session, asked };
}

const solutionOf = ({ headers }) =>
  JSON.parse(Buffer.from(headers["x-inkeep-challenge-solution"], "base64").toString());

const chat = (client, text = "Hello") =>
  client.fetch("/run/api/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", parts: [{ type: "text", text }] }] }),
  });

describe("the newer route", () => {
  for (const version of [1, 2])
    test(
      `version ${version}: one challenge, one session with the solution in its envelope, a streamed chat`,
      bounded,
      async (t) => {
        const { service, client, session } = await setUp(t, { version });
        const { userId, kind } = await client.session();
        assert.match(userId, /^anon_/);
        assert.equal(kind, "anonymous");
        assert.deepEqual(service.paths(), [NEWER, session]);
        const [challenge, granted] = service.requests;
        assert.equal(challenge.query.get("appId"), service.appId);
        assert.equal(challenge.headers.authorization, undefined);
        const { payload, ...more } = solutionOf(granted);
        assert.deepEqual(more, {});
        const solution = JSON.parse(Buffer.from(payload, "base64").toString());
        assert.equal(
          version === 1 ? typeof solution.number : typeof solution.solution.derivedKey,
          version === 1 ? "number" : "string",
        );
        const stream = await (await chat(client)).text();
        assert.match(stream, /"type":"start","messageId":"msg_/);
        assert.match(stream, /"delta":"Hello"/);
      },
    );

  test("a solution for every request is in its envelope too", bounded, async (t) => {
    const { service, client } = await setUp(t, {}, { challenge: "every-request" });
    await client.session();
    assert.equal((await chat(client)).status, 200);
    const sent = service.requests.find(({ path }) => path === "/run/api/chat");
    assert.deepEqual(Object.keys(solutionOf(sent)), ["payload"]);
  });

  for (const [status, detail] of [
    [400, "Bot protection challenge solution is invalid."],
    [400, "Bot protection challenge solution is required."],
    [403, "Bot protection verification failed"],
  ])
    test(
      `a chat's solution that is refused with the words "${detail}" is replaced once`,
      bounded,
      async (t) => {
        const { service, client } = await setUp(t, { chatSolutions: true }, { challenge: "every-request" });
        await client.session();
        let refusals = 1;
        service.refusals.set("/run/api/chat", () => (refusals-- > 0 ? problem(status, detail) : undefined));
        assert.equal((await chat(client)).status, 200);
        const sent = service.requests.filter(({ path }) => path === "/run/api/chat").map(solutionOf);
        assert.equal(sent.length, 2);
        assert.notDeepEqual(sent[0], sent[1]);
      },
    );

  test("a 400 or 403 about something else is the caller's", bounded, async (t) => {
    const { service, client } = await setUp(t, { chatSolutions: true }, { challenge: "every-request" });
    for (const refusal of [
      problem(400, "App is not a web client"),
      problem(403, "Origin not allowed for this app"),
    ]) {
      service.refusals.set("/run/api/chat", () => refusal);
      assert.equal((await chat(client)).status, refusal.status);
    }
    assert.equal(service.requests.filter(({ path }) => path === "/run/api/chat").length, 2);
  });

  test(
    "proof of work that is switched on while the page is open: the next chat brings a solution",
    bounded,
    async (t) => {
      const { service, client } = await setUp(t, { routes: "none" }, { challenge: "every-request" });
      assert.equal((await chat(client)).status, 200);
      Object.assign(service.settings, { routes: "newer", chatSolutions: true });
      assert.equal((await chat(client)).status, 200);
    },
  );

  test(
    "configuration.verifyUrl: the payload that it returns replaces the client's own",
    bounded,
    async (t) => {
      const { client, service, session } = await setUp(t, { verify: true });
      await client.session();
      assert.deepEqual(service.paths(), [NEWER, "POST /v1/verify", session]);
    },
  );

  test("his: interaction data are sent as what they are, none", bounded, async (t) => {
    const { client, service, session } = await setUp(t, { his: true, version: 2 });
    await client.session();
    assert.deepEqual(service.paths(), [NEWER, "POST /v1/his", session]);
  });

  test("codeChallenge: interaction_required, and no hang", bounded, async (t) => {
    const { client, service } = await setUp(t, { human: true });
    await assert.rejects(client.session(), { name: "SaltmineError", code: "interaction_required" });
    assert.deepEqual(service.paths(), [NEWER]);
  });
});

describe("the older route", () => {
  test("is requested when the newer one responds 404; its solution has no envelope", bounded, async (t) => {
    const { service, client, session } = await setUp(t, { routes: "older" });
    await client.session();
    assert.deepEqual(service.paths(), [NEWER, OLDER, session]);
    assert.equal(typeof solutionOf(service.requests[2]).number, "number");
  });

  test("is remembered for the page's life: the other request is made once", bounded, async (t) => {
    const { client, again, asked, session } = await setUp(t, { routes: "older" });
    await client.session();
    asked();
    await client.refresh();
    await again().session();
    assert.deepEqual(asked(), [OLDER, session, OLDER, session]);
  });

  test("that was replaced by the newer one is noticed", bounded, async (t) => {
    const { service, client, again, asked, session } = await setUp(t, { routes: "older" });
    await client.session();
    service.settings.routes = "newer";
    asked();
    await again().session();
    assert.deepEqual(asked(), [OLDER, NEWER, session]);
    await again().session();
    assert.deepEqual(asked(), [NEWER, session]);
  });

  test("that responds 400 because the newer one replaced it is noticed", bounded, async (t) => {
    const { service, client, again, asked, session } = await setUp(t, { routes: "older" });
    await client.session();
    service.settings.routes = "newer";
    service.refusals.set(OLDER.slice("GET ".length), () => problem(400, "The app is required"));
    asked();
    await again().session();
    assert.deepEqual(asked(), [OLDER, NEWER, session]);
    await again().session();
    assert.deepEqual(asked(), [NEWER, session]);
  });

  test(
    "that responds 400 after a 404 of the newer one is not the reason: the session's is",
    bounded,
    async (t) => {
      const { service, client, asked, session } = await setUp(t);
      service.settings.apps = {};
      service.refusals.set(OLDER.slice("GET ".length), () => problem(400, "The app is required"));
      await assert.rejects(client.session(), { code: "app_not_found", status: 404 });
      assert.deepEqual(asked(), [NEWER, OLDER, session]);
    },
  );

  test("is remembered in the storage for a day", bounded, async (t) => {
    const items = new Map();
    const storage = {
      getItem: (name) => items.get(name) ?? null,
      setItem: (name, value) => void items.set(name, value),
      removeItem: (name) => void items.delete(name),
    };
    const { service, client, again, asked, session } = await setUp(t, { routes: "older" }, { storage });
    await client.session();
    const key = `saltmine_challenge_${service.baseUrl}`;
    assert.deepEqual([...items.keys()].sort(), [`inkeep_session_${service.appId}`, key].sort());
    asked();
    let pages = 0;
    /** Returns the requests of a new page, whose clock is `ms` later. */
    const nextPage = async (ms) => {
      const { createClient } = await import(`${entryPoints.node}?page=${++pages}`);
      const { now } = Date;
      Date.now = () => now() + ms;
      try {
        await again({ storage }, createClient).refresh();
      } finally {
        Date.now = now;
      }
      return asked();
    };
    assert.deepEqual(await nextPage(0), [OLDER, session]);
    assert.deepEqual(await nextPage(DAY_MS - 60_000), [OLDER, session]);
    assert.deepEqual(await nextPage(DAY_MS + 60_000), [NEWER, OLDER, session]);
    for (const nonsense of [
      "",
      "null",
      '{"route":1,"until":9e15}',
      '{"route":"//evil.example","until":9e15}',
    ]) {
      items.set(key, nonsense);
      assert.deepEqual(await nextPage(0), [NEWER, OLDER, session], nonsense);
    }
  });
});

describe("proof of work that is off", () => {
  test("two requests for a challenge the first time, one later", bounded, async (t) => {
    const { client, again, asked, session } = await setUp(t, { routes: "none" });
    await client.session();
    assert.deepEqual(asked(), [NEWER, OLDER, session]);
    await again().session();
    assert.deepEqual(asked(), [NEWER, session]);
  });

  for (const routes of ["newer", "older"])
    test(`is switched on with the ${routes} route: the next session has its solution`, bounded, async (t) => {
      const { service, client, again, session } = await setUp(t, { routes: "none" });
      await client.session();
      service.settings.routes = routes;
      const before = service.requests.length;
      assert.match((await again().session()).userId, /^anon_/);
      const made = service.paths().slice(before);
      assert.ok(made.length <= 7, made.join());
      assert.equal(made.at(-1), session);
    });
});

describe("challengePath", () => {
  for (const [path, routes] of [
    ["/run/auth/pow/challenge", "older"],
    ["/run/auth/challenge?appId=app_0123456789abcdef&endpointClass=chat", "newer"],
  ])
    test(`${path} is the only one that is requested`, bounded, async (t) => {
      const { service, client, session } = await setUp(t, { routes }, { challengePath: path });
      await client.session();
      assert.deepEqual(service.paths(), [`GET ${path.split("?")[0]}`, session]);
      assert.equal(service.requests[0].query.toString(), path.split("?")[1] ?? "");
    });
});

describe("a refusal without a reason", () => {
  const refuse = (status, detail) => () => problem(status, detail);
  for (const [what, app, code, status] of [
    ["an unknown app", undefined, "app_not_found", 404],
    ["a disabled app", makeApp({ enabled: false }), "app_not_found", 404],
    ["an app of another type", makeApp({ type: "api" }), "bad_request", 400],
    ["an app without anonymous visitors", makeApp({ allowAnonymous: false }), "anonymous_not_allowed", 401],
    ["another origin", makeApp({ allowedDomains: ["docs.example.com"] }), "origin_not_allowed", 403],
  ])
    test(`${what}: ${code}`, bounded, async (t) => {
      const { service, client } = await setUp(t, {}, { origin: "https://example.org" });
      service.settings.apps[service.appId] = app;
      const error = await client.session().catch((thrown) => thrown);
      assert.ok(error instanceof SaltmineError, String(error));
      assert.deepEqual([error.code, error.status], [code, status], error.message);
    });

  for (const [detail, status, code] of [
    ["Bot protection challenge solution is required.", 400, "pow_required"],
    ["Bot protection challenge solution is invalid.", 400, "pow_invalid"],
    ["Bot protection verification failed", 403, "pow_invalid"],
    ["Origin not allowed for this app", 403, "origin_not_allowed"],
    ["Something is wrong", 400, "bad_request"],
  ])
    test(`${status} “${detail}”: ${code}`, bounded, async (t) => {
      const { service, client, session } = await setUp(t);
      service.refusals.set(session.slice("POST ".length), refuse(status, detail));
      await assert.rejects(client.session(), { code, status });
    });
});
