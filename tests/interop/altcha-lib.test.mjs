/** The package and the reference server against the library that everybody else uses: altcha-lib 1.4.1. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { createChallenge, extractParams, solveChallenge, verifySolution } from "altcha-lib";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { installTarball } from "../support/tarball.mjs";

const { entryPoints, remove } = await installTarball();
const { createClient, solve } = await import(entryPoints.node);
const hmacKey = randomBytes(32).toString("hex");
const server = await startServer({ INKEEP_POW_HMAC_SECRET: hmacKey, INKEEP_POW_DIFFICULTY: "20000" });
after(async () => {
  await server.stop();
  await remove();
});

const ORIGIN = "http://127.0.0.1";
const inAnHour = new Date(Date.now() + 3_600_000);

/** The payload of a client: the challenge's members and the number. */
const payload = ({ algorithm, challenge, salt, signature }, number) => ({
  algorithm,
  challenge,
  number,
  salt,
  signature,
});
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64");

async function getChallenge() {
  const response = await fetch(`${server.baseUrl}/run/auth/pow/challenge`);
  assert.equal(response.status, 200);
  return response.json();
}

async function postSession(solution) {
  const response = await fetch(`${server.baseUrl}/run/auth/apps/${DEMO_APP_ID}/anonymous-session`, {
    method: "POST",
    headers: { Origin: ORIGIN, "X-Inkeep-Challenge-Solution": solution },
  });
  return { status: response.status, body: await response.json() };
}

describe("altcha-lib's challenges, solved by the package, verified by altcha-lib", () => {
  const variants = {
    "its defaults": {},
    "SHA-1": { algorithm: "SHA-1", maxNumber: 30_000 },
    "SHA-256": { algorithm: "SHA-256", maxNumber: 300_000 },
    "SHA-384": { algorithm: "SHA-384", maxNumber: 30_000 },
    "SHA-512": { algorithm: "SHA-512", maxNumber: 30_000 },
    "a lower-case name": { algorithm: "sha-256", maxNumber: 1_000 },
    "the smallest range": { maxNumber: 1 },
    "the number 0": { number: 0, maxNumber: 10 },
    "the last number": { number: 99_999, maxNumber: 99_999 },
    "a number of seven digits": { number: 2_345_678, maxNumber: 3_000_000 },
    "an end": { expires: inAnHour, maxNumber: 50_000 },
    parameters: {
      expires: inAnHour,
      params: { "user id": "ä&b=c", long: "x".repeat(200) },
      maxNumber: 50_000,
    },
    "a short salt": { saltLength: 1, maxNumber: 50_000 },
    "a long salt": { saltLength: 100, maxNumber: 50_000 },
    "a salt of its own": { salt: "日本 😀 salt", maxNumber: 50_000 },
  };
  for (const [name, options] of Object.entries(variants)) {
    test(name, async () => {
      const challenge = await createChallenge({ hmacKey, ...options });
      const { number } = await solve(challenge);
      if (options.number !== undefined) assert.equal(number, options.number);
      const solution = payload(challenge, number);
      // As an object: altcha-lib reads base64 as Latin-1, so that no salt beyond ASCII survives it.
      assert.equal(await verifySolution(solution, hmacKey), true);
      assert.equal(
        await verifySolution({ ...solution, number: number + 1 }, hmacKey),
        false,
        "it does verify",
      );
    });
  }

  test("salts of every length over two blocks", async () => {
    for (let length = 0; length <= 130; length += 1) {
      const challenge = await createChallenge({
        hmacKey,
        salt: "s".repeat(length),
        number: 98 + length,
        maxNumber: 1_100,
      });
      assert.equal((await solve(challenge)).number, 98 + length, `length ${length}`);
    }
  });

  test("altcha-lib and the package find the same number", async () => {
    for (let i = 0; i < 10; i += 1) {
      const challenge = await createChallenge({ hmacKey, maxNumber: 2_000, expires: inAnHour });
      const theirs = await solveChallenge(
        challenge.challenge,
        challenge.salt,
        challenge.algorithm,
        challenge.maxnumber,
      ).promise;
      assert.equal((await solve(challenge)).number, theirs.number);
    }
  });
});

describe("the server's challenges", () => {
  test("have the form that altcha-lib's have", async () => {
    const ours = await getChallenge();
    assert.deepEqual(Object.keys(ours).sort(), Object.keys(await createChallenge({ hmacKey })).sort());
    assert.match(ours.salt, /^[0-9a-f]{24}\?expires=\d{10}&$/);
    const left = Number(extractParams(ours).expires) - Date.now() / 1000;
    assert.ok(left > 590 && left < 610, `${left} s`);
    assert.equal(ours.maxnumber, 20_000);
  });

  test("are solved by altcha-lib, and the server takes its solution once, whatever is written around it", async () => {
    const challenge = await getChallenge();
    const { algorithm, salt, maxnumber } = challenge;
    const { number, took } = await solveChallenge(challenge.challenge, salt, algorithm, maxnumber).promise;
    const solution = payload(challenge, number);

    const wrong = await postSession(encode({ ...solution, number: number + 1 }));
    assert.deepEqual([wrong.status, wrong.body.reason], [400, "pow_invalid"]);

    const first = await postSession(encode({ ...solution, took, maxnumber }));
    assert.equal(first.status, 200, JSON.stringify(first.body));
    assert.match(first.body.token, /^[\w-]+\.[\w-]+\.[\w-]+$/);

    const again = await postSession(encode(solution));
    assert.deepEqual([again.status, again.body.reason], [400, "pow_replayed"]);
  });

  test("are verified by altcha-lib with the server's key, once the package has solved them", async () => {
    const challenge = await getChallenge();
    const { number } = await solve(challenge);
    assert.equal(await verifySolution(encode(payload(challenge, number)), hmacKey), true);
    assert.equal(await verifySolution(encode(payload(challenge, number)), `${hmacKey}0`), false);
  });
});

describe("the package's client and the server", () => {
  test("a session in Node, and what it opens", async () => {
    const client = createClient({ baseUrl: server.baseUrl, appId: DEMO_APP_ID, origin: ORIGIN });
    const { token, expiresAt, userId } = await client.session();
    const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    assert.equal(claims.sub, userId);
    assert.match(userId, /^anon_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(claims.exp * 1000, Date.parse(expiresAt));
    assert.equal(claims.app, DEMO_APP_ID);

    const response = await fetch(`${server.baseUrl}/run/api/chat`, {
      method: "POST",
      headers: { ...(await client.headers()), Origin: ORIGIN, "Content-Type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: "Ahoy" }], stream: false }),
    });
    assert.equal(response.status, 200);
    assert.match((await response.json()).choices[0].message.content, /Ahoy/);
  });

  test("an app that does not exist → app_not_found", async () => {
    const client = createClient({ baseUrl: server.baseUrl, appId: "app_nobody0000000000", origin: ORIGIN });
    await assert.rejects(client.session(), { code: "app_not_found", status: 404 });
  });

  test("no origin → origin_not_allowed", async () => {
    const client = createClient({ baseUrl: server.baseUrl, appId: DEMO_APP_ID });
    await assert.rejects(client.session(), { code: "origin_not_allowed", status: 403 });
  });

  test("a server that has had too many requests is asked again when it says so", async (t) => {
    const strict = await startServer({ SALTMINE_RATE_LIMIT: "1/1" });
    t.after(strict.stop);
    const states = [];
    for (let i = 0; i < 3; i += 1) {
      const onEvent = (event) => event.type === "state" && states.push(event.state);
      const client = createClient({ baseUrl: strict.baseUrl, appId: DEMO_APP_ID, origin: ORIGIN, onEvent });
      assert.match((await client.session()).userId, /^anon_/);
      client.dispose();
    }
    assert.ok(states.includes("waiting"), states.join(", "));
  });
});
