/**
 * Nothing loops: a server that always sends the same response receives a limited number of requests in one call. The
 * documented limit is 7 (docs/client.md): a challenge and a session, both once more with a fresh challenge, and three
 * repeats.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { APP_ID, makeChallenge, problem, right, startService } from "../support/service.mjs";
import { installTarball } from "../support/tarball.mjs";

const MOST_REQUESTS = 7;
const { entryPoints, remove } = await installTarball();
const { createClient } = await import(entryPoints.node);
after(remove);

const always = (made) => async () => made;
const cutOff = async (request) => void request.socket.destroy();
const never = async () => {};
/** By route: the response that it always sends, the number of requests in one call, and the error's code. */
const CASES = {
  challenge: [
    ["cuts the connection", cutOff, 4, "network"],
    ["never answers", never, 4, "timeout"],
    ["429", always(problem(429)), 4, "rate_limited"],
    ["429 for an hour", always({ ...problem(429), headers: { "retry-after": "3600" } }), 1, "rate_limited"],
    ["503 for an hour", always({ ...problem(503), headers: { "retry-after": "3600" } }), 1, "server_error"],
    ...[500, 502, 503, 504].map((status) => [status, always(problem(status)), 4, "server_error"]),
    [200, always({ body: {} }), 1, "challenge_malformed"],
    [204, always({ status: 204 }), 1, "response_malformed"],
    [400, always(problem(400)), 1, "bad_request"],
    [401, always(problem(401)), 1, "anonymous_not_allowed"],
    [403, always(problem(403)), 1, "origin_not_allowed"],
    [410, always(problem(410)), 1, "bad_request"],
    [
      "only challenges that have run out",
      async () => ({ body: await makeChallenge({ expires: new Date(Date.now() - 60_000) }) }),
      2,
      "pow_expired",
    ],
  ],
  session: [
    ["cuts the connection", cutOff, 5, "network"],
    ["never answers", never, 5, "timeout"],
    ["429", always(problem(429)), 5, "rate_limited"],
    ...[500, 502, 503, 504].map((status) => [status, always(problem(status)), 5, "server_error"]),
    ...["expired", "invalid", "replayed"].map((why) => {
      const reason = `pow_${why}`;
      return [reason, always(problem(400, reason)), 4, reason];
    }),
    ["pow_required", always(problem(400, "pow_required")), 2, "pow_required"],
    [200, always({ body: {} }), 2, "response_malformed"],
    [400, always(problem(400)), 2, "bad_request"],
    [401, always(problem(401)), 2, "anonymous_not_allowed"],
    [403, always(problem(403)), 2, "origin_not_allowed"],
    [404, always(problem(404)), 2, "app_not_found"],
    [409, always(problem(409)), 2, "bad_request"],
  ],
};

/** A client of a service with these routes; both are closed with the test. */
async function setUp(t, routes, options) {
  const service = await startService(routes);
  const client = createClient({ baseUrl: service.baseUrl, appId: APP_ID, timeoutMs: 4_000, ...options });
  t.after(async () => {
    client.dispose();
    await service.close();
  });
  return { service, client };
}

for (const [route, cases] of Object.entries(CASES)) {
  // Together, since most of it is waiting.
  describe(`the ${route} route always answers`, { concurrency: 4 }, () => {
    for (const [what, answer, most, code] of cases) {
      test(`${what} → ${code} after ${most}`, async (t) => {
        const { service, client } = await setUp(
          t,
          { [route]: answer },
          answer === never ? { timeoutMs: 800 } : {},
        );
        await assert.rejects(client.session(), { code });
        assert.equal(service.requests.length, most);
        assert.ok(most <= MOST_REQUESTS);
      });
    }
  });
}

describe("the worst of servers", () => {
  test("everything that can be repeated, in turn: seven requests", async (t) => {
    const answers = [503, "challenge", 503, "pow_expired", "challenge", 429, "pow_invalid", "challenge"];
    const answer = async () => {
      const next = answers.shift();
      if (next === "challenge") return right.challenge();
      return typeof next === "number" ? problem(next) : problem(400, next);
    };
    const { service, client } = await setUp(t, { challenge: answer, session: answer });
    await assert.rejects(client.session(), { code: "pow_invalid" });
    assert.equal(service.requests.length, MOST_REQUESTS);
  });

  test("a call that has failed is not repeated by itself", async (t) => {
    const { service, client } = await setUp(t, { challenge: always(problem(503)) });
    await assert.rejects(client.session(), { code: "server_error" });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(service.requests.length, 4);
  });
});

describe("a repeat", () => {
  test("is heard of: waiting, and then the rest", async (t) => {
    let first = true;
    const states = [];
    const challenge = async () => (first ? ((first = false), problem(503)) : right.challenge());
    const onEvent = ({ type, state }) => type === "state" && states.push(state);
    const { client } = await setUp(t, { challenge }, { onEvent });
    await client.session();
    assert.deepEqual(states, [
      "starting",
      "challenge",
      "waiting",
      "challenge",
      "solving",
      "session",
      "ready",
    ]);
  });

  test("comes no sooner than Retry-After says", async (t) => {
    const times = [];
    const challenge = async () => {
      times.push(performance.now());
      return times.length === 1 ? { ...problem(429), headers: { "retry-after": "1" } } : right.challenge();
    };
    const { client } = await setUp(t, { challenge });
    await client.session();
    assert.ok(times[1] - times[0] >= 1_000, `${times[1] - times[0]} ms`);
  });

  test("comes no sooner than a date in Retry-After, by the server's clock", async (t) => {
    const times = [];
    const at = (ms) => new Date(Date.now() + ms).toUTCString();
    const challenge = async () => {
      times.push(performance.now());
      if (times.length > 1) return right.challenge();
      return { ...problem(503), headers: { date: at(3_600_000), "retry-after": at(3_602_000) } };
    };
    const { client } = await setUp(t, { challenge });
    await client.session();
    const waited = times[1] - times[0];
    assert.ok(waited >= 1_000 && waited < 5_000, `${waited} ms`);
  });

  test("is given up with the call", async (t) => {
    const { service, client } = await setUp(t, {
      challenge: always({ ...problem(429), headers: { "retry-after": "5" } }),
    });
    const began = performance.now();
    await assert.rejects(client.session({ signal: AbortSignal.timeout(500) }), { name: "TimeoutError" });
    assert.ok(performance.now() - began < 2_000);
    assert.equal(service.requests.length, 1);
  });
});

describe("client.fetch", () => {
  for (const [what, challenge, answer, most] of [
    ["401", "session", problem(401), 2],
    ["401, with a solution for every request", "every-request", problem(401), 2],
    ["400 pow_invalid", "every-request", problem(400, "pow_invalid"), 2],
    ["400 pow_expired", "every-request", problem(400, "pow_expired"), 2],
    ["400", "every-request", problem(400), 1],
    ["403", "session", problem(403), 1],
    ["404", "session", problem(404), 1],
    ["429", "session", problem(429), 1],
    ["500", "session", problem(500), 1],
  ]) {
    test(`that is always answered with ${what} is sent ${most} times`, async (t) => {
      let sent = 0;
      const own = (input, init) => {
        if (!String(input).endsWith("/run/api/chat")) return fetch(input, init);
        sent += 1;
        const { status, body } = answer;
        return Promise.resolve(Response.json(body, { status }));
      };
      const { service, client } = await setUp(t, {}, { challenge, fetch: own });
      const response = await client.fetch("/run/api/chat", { method: "POST", body: "{}" });
      assert.equal(response.status, answer.status);
      assert.equal((await response.json()).status, answer.status, "the refusal can be read");
      assert.equal(sent, most);
      const before = service.requests.length;
      assert.ok(before <= 8, `${before} requests of the client's own`);
      // Always refused: the next call does not renew again.
      await client.fetch("/run/api/chat", { method: "POST", body: "{}" });
      if (answer.status === 401) assert.equal(sent, 3);
    });
  }
});
