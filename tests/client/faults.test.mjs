/** Every way a service can fail a client: the right error, in limited time, and nothing left behind. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { listen } from "../support/http.mjs";
import {
  APP_ID,
  inTheFuture,
  makeChallenge,
  makeToken,
  problem,
  right,
  startService,
} from "../support/service.mjs";
import { installTarball } from "../support/tarball.mjs";
import { threadsGone } from "../support/threads.mjs";

const { entryPoints, remove } = await installTarball();
const { createClient, SaltmineError } = await import(entryPoints.node);
after(remove);

const TIMEOUT_MS = 400;
/** Four tries, the waits between them, the start of a worker, and a busy machine. */
const LIMIT_MS = 4 * TIMEOUT_MS + 3_500 + 3_000;
/** A client that hangs fails its test rather than the whole run. */
const bounded = { timeout: 30_000 };

const answer = (made) => async () => made;
const html = (status) => ({ status, type: "text/html", body: "<!doctype html><title>Welcome</title>" });
const json = (body) => ({ body });
const never = async () => {};
const halfABody = async (_request, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
  response.write('{"token":');
};
const cutOff = async (request) => {
  request.socket.destroy();
};
const challengeWith = (members) => async () => ({ body: { ...(await makeChallenge()), ...members } });
const expired = async () => ({ body: await makeChallenge({ expires: new Date(Date.now() - 60_000) }) });
const sessionWith = (members) => answer(json({ token: makeToken(), expiresAt: inTheFuture(), ...members }));

/** `[what the route does, the route, code, status, field]` */
const CHALLENGE_FAULTS = [
  ["never answers", never, "timeout"],
  ["answers half a body", halfABody, "timeout"],
  ["cuts the connection", cutOff, "network"],
  ["200 with HTML", answer(html(200)), "response_malformed", 200],
  ["200 with nothing", answer({}), "response_malformed", 200],
  ["200 with broken JSON", answer({ body: '{"algorithm":"SHA-256",' }), "response_malformed", 200],
  ["200 with JSON that is no object", answer({ body: '"SHA-256"' }), "response_malformed", 200],
  ["200 with null", answer({ body: "null" }), "response_malformed", 200],
  ["204", answer({ status: 204 }), "response_malformed", 204],
  ["an empty object", answer(json({})), "challenge_malformed", undefined, "algorithm"],
  ["no salt", challengeWith({ salt: undefined }), "challenge_malformed", undefined, "salt"],
  [
    "a digest that is no hex",
    challengeWith({ challenge: "z".repeat(64) }),
    "challenge_malformed",
    undefined,
    "challenge",
  ],
  ["a short signature", challengeWith({ signature: "abcd" }), "challenge_malformed", undefined, "signature"],
  ["a negative maxnumber", challengeWith({ maxnumber: -1 }), "challenge_malformed", undefined, "maxnumber"],
  [
    "an unknown algorithm",
    challengeWith({ algorithm: "MD5" }),
    "algorithm_unsupported",
    undefined,
    "algorithm",
  ],
  ["a tampered maxnumber", challengeWith({ maxnumber: 1e12 }), "maxnumber_too_large"],
  ["a challenge without a solution", challengeWith({ challenge: "0".repeat(64) }), "no_solution"],
  ["only expired challenges", expired, "pow_expired"],
  ["400", answer(problem(400)), "bad_request", 400],
  ["401", answer(problem(401)), "anonymous_not_allowed", 401],
  ["403", answer(problem(403)), "origin_not_allowed", 403],
  ["429", answer(problem(429)), "rate_limited", 429],
  ["500 with HTML", answer(html(500)), "server_error", 500],
  ["503", answer(problem(503)), "server_error", 503],
];

const SESSION_FAULTS = [
  ["never answers", never, "timeout"],
  ["answers half a body", halfABody, "timeout"],
  ["cuts the connection", cutOff, "network"],
  ["200 with HTML", answer(html(200)), "response_malformed", 200],
  ["200 with nothing", answer({}), "response_malformed", 200],
  ["200 with broken JSON", answer({ body: '{"token":"' }), "response_malformed", 200],
  ["200 with an array", answer({ body: "[]" }), "response_malformed", 200],
  ["no token", sessionWith({ token: undefined }), "response_malformed", 200],
  ["an empty token", sessionWith({ token: "" }), "response_malformed", 200],
  ["a token that is a number", sessionWith({ token: 1 }), "response_malformed", 200],
  ["no expiresAt", sessionWith({ expiresAt: undefined }), "response_malformed", 200],
  ["expiresAt that is no date", sessionWith({ expiresAt: "soon" }), "response_malformed"],
  ["a token that is no JWT", sessionWith({ token: "opaque" }), "response_malformed"],
  ["a token without a subject", sessionWith({ token: makeToken({ sub: undefined }) }), "response_malformed"],
  [
    "a token of another app",
    sessionWith({ token: makeToken({ app: "app_of_others000000" }) }),
    "response_malformed",
  ],
  ...["pow_required", "pow_invalid", "pow_expired", "pow_replayed"].map((reason) => [
    `400 ${reason}`,
    answer(problem(400, reason)),
    reason,
    400,
  ]),
  ["400 with a reason nobody knows", answer(problem(400, "tired")), "bad_request", 400],
  ["400 with HTML", answer(html(400)), "bad_request", 400],
  ["401", answer(problem(401)), "anonymous_not_allowed", 401],
  ["403", answer(problem(403)), "origin_not_allowed", 403],
  ["404", answer(problem(404)), "app_not_found", 404],
  ["404 with HTML", answer(html(404)), "app_not_found", 404],
  ["405", answer(problem(405)), "bad_request", 405],
  ["429", answer(problem(429)), "rate_limited", 429],
  ["500", answer(problem(500)), "server_error", 500],
  ["500 with HTML", answer(html(500)), "server_error", 500],
  ["503", answer(problem(503)), "server_error", 503],
];

const RETRYABLE = /^(network|timeout|rate_limited|server_error|no_solution|pow_expired|pow_replayed)$/;

/** One failure, held to everything that is true of all of them. */
async function assertFails(client, events, [, , code, status, field]) {
  events.length = 0;
  const began = performance.now();
  const error = await client.session().then(
    () => assert.fail("it must not come to a session"),
    (thrown) => thrown,
  );
  const ms = performance.now() - began;
  assert.ok(error instanceof SaltmineError, String(error?.stack));
  assert.equal(error.code, code, error.message);
  assert.equal(error.status, status);
  assert.equal(error.field, field);
  assert.equal(error.retryable, RETRYABLE.test(code));
  assert.match(error.message, /^[A-Z].{15,}\.( \(\w+\))?( — .+)?$/s);
  assert.doesNotMatch(error.message, /undefined|\[object/);
  assert.ok(ms < LIMIT_MS, `it took ${ms} ms`);
  assert.equal(events.filter(({ type, state }) => type === "state" && state === "failed").length, 1);
  assert.equal(events.at(-1).state, "failed");
}

for (const [route, faults] of Object.entries({ challenge: CHALLENGE_FAULTS, session: SESSION_FAULTS })) {
  describe(`the ${route} route`, () => {
    for (const fault of faults) {
      test(`${fault[0]} → ${fault[2]}`, bounded, async (t) => {
        const service = await startService({ [route]: fault[1] });
        t.after(service.close);
        const events = [];
        const client = createClient({
          baseUrl: service.baseUrl,
          appId: APP_ID,
          timeoutMs: TIMEOUT_MS,
          onEvent: (event) => events.push(event),
        });
        await assertFails(client, events, fault);
        // A failure is not remembered: once the service is well, so is the same client.
        service.routes[route] = right[route];
        const { userId } = await client.session();
        assert.match(userId, /^anon_/);
        client.dispose();
        await threadsGone(4_500);
      });
    }
  });
}

describe("no service at all", () => {
  test("the connection is refused → network", bounded, async () => {
    const gone = await listen(() => {});
    await gone.close();
    const events = [];
    const client = createClient({
      baseUrl: gone.origin,
      appId: APP_ID,
      onEvent: (event) => events.push(event),
    });
    await assertFails(client, events, ["", null, "network"]);
    client.dispose();
  });

  test("a host that does not exist → network", bounded, async () => {
    const events = [];
    const options = { baseUrl: "http://nowhere.invalid", appId: APP_ID, timeoutMs: 3_000 };
    const client = createClient({ ...options, onEvent: (event) => events.push(event) });
    await assertFails(client, events, ["", null, "network"]);
    client.dispose();
  });
});

describe("what the server says about a refusal", () => {
  test("its id of the request and its Retry-After are members of the error", async (t) => {
    const refusal = { ...problem(403), headers: { "x-request-id": "request-7", "retry-after": "120" } };
    const service = await startService({ session: answer(refusal) });
    t.after(service.close);
    const client = createClient({ baseUrl: service.baseUrl, appId: APP_ID });
    t.after(() => client.dispose());
    await assert.rejects(client.session(), { requestId: "request-7", retryAfterMs: 120_000 });
    service.routes.session = answer(problem(429));
    service.routes.challenge = answer({ ...problem(429), headers: { "retry-after": "120" } });
    await assert.rejects(client.session(), { code: "rate_limited", retryAfterMs: 120_000 });
  });

  test("is part of the message, after the sentence", async (t) => {
    const detail = "Origin not allowed for this app";
    const service = await startService({ session: answer(problem(403, undefined, detail)) });
    t.after(service.close);
    const client = createClient({ baseUrl: service.baseUrl, appId: APP_ID });
    await assert.rejects(client.session(), ({ message }) => message.endsWith(detail) && message.length > 60);
    client.dispose();
  });
});
