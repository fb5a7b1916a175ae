/** The reference server's challenges of ALTCHA version 2 with altcha-lib 2.8, in both directions. */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { createChallenge, solveChallenge, verifySolution } from "altcha-lib-2";
import * as pbkdf2 from "altcha-lib-2/algorithms/pbkdf2";
import * as scrypt from "altcha-lib-2/algorithms/scrypt";
import * as sha from "altcha-lib-2/algorithms/sha";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";

const SECRET = randomBytes(32).toString("hex");
const derived = (label) => createHmac("sha256", SECRET).update(label).digest("hex");
/** The secrets that docs/production.md derives from the one that is configured. */
const secrets = {
  hmacSignatureSecret: derived("saltmine ALTCHA v2 signature"),
  hmacKeySignatureSecret: derived("saltmine ALTCHA v2 key signature"),
};
const ORIGIN = "http://127.0.0.1";
const DATA = { app: DEMO_APP_ID };

const ALGORITHMS = {
  "PBKDF2/SHA-256": { deriveKey: pbkdf2.deriveKey, cost: 20, other: { cost: 30 } },
  "SHA-256": { deriveKey: sha.deriveKey, cost: 20, other: { cost: 30 } },
  SCRYPT: { deriveKey: scrypt.deriveKey, cost: 16, memoryCost: 2, other: { cost: 32, memoryCost: 1 } },
};

async function getChallenge({ baseUrl }) {
  const url = `${baseUrl}/run/auth/challenge?appId=${DEMO_APP_ID}`;
  const response = await fetch(url, { headers: { Origin: ORIGIN } });
  assert.equal(response.status, 200);
  return response.json();
}

async function openSession({ baseUrl }, payload) {
  const json = Buffer.from(JSON.stringify(payload)).toString("base64");
  const response = await fetch(`${baseUrl}/run/auth/apps/${DEMO_APP_ID}/anonymous-session`, {
    method: "POST",
    headers: { Origin: ORIGIN, "X-Inkeep-Challenge-Solution": json },
  });
  const { token, reason } = await response.json();
  return token ? "a session" : reason;
}

for (const [algorithm, { deriveKey, cost, memoryCost, other }] of Object.entries(ALGORITHMS)) {
  describe(algorithm, () => {
    let server;
    before(async () => {
      server = await startServer({
        INKEEP_POW_HMAC_SECRET: SECRET,
        SALTMINE_POW_VERSION: "2",
        SALTMINE_POW_ALGORITHM: algorithm,
        SALTMINE_POW_COST: String(cost),
        SALTMINE_POW_MEMORY_COST: memoryCost && String(memoryCost),
        SALTMINE_POW_COUNTER_MIN: "10",
        SALTMINE_POW_COUNTER_MAX: "60",
      });
    });
    after(() => server.stop());

    test("the server's challenge: the library solves it, and both verify that", async () => {
      const challenge = await getChallenge(server);
      assert.equal(challenge.parameters.algorithm, algorithm);
      const solution = await solveChallenge({ challenge, deriveKey });
      assert.ok(solution.counter >= 10 && solution.counter <= 60);
      for (const keys of [secrets, { hmacSignatureSecret: secrets.hmacSignatureSecret }]) {
        const result = await verifySolution({ challenge, solution, deriveKey, ...keys });
        assert.equal(result.verified, true, JSON.stringify(result));
      }
      const wrong = { ...solution, derivedKey: "00".repeat(32) };
      assert.equal(
        (await verifySolution({ challenge, solution: wrong, deriveKey, ...secrets })).verified,
        false,
      );
      assert.equal(await openSession(server, { challenge, solution: wrong }), "pow_invalid");
      assert.equal(await openSession(server, { challenge, solution }), "a session");
      assert.equal(await openSession(server, { challenge, solution }), "pow_replayed");
    });

    test("the library's challenge under the server's keys: the server takes its solution", async () => {
      const expiresAt = new Date(Date.now() + 60_000);
      const options = { algorithm, cost, memoryCost, deriveKey, expiresAt, ...secrets, ...other };
      for (const data of [undefined, DATA]) {
        const challenge = await createChallenge({ ...options, counter: 33, data });
        const solution = await solveChallenge({ challenge, deriveKey });
        assert.equal(solution.counter, 33);
        assert.equal(await openSession(server, { challenge, solution }), "a session");
      }
      const solve = async (changes) => {
        const challenge = await createChallenge({ ...options, counter: 12, ...changes });
        return openSession(server, { challenge, solution: await solveChallenge({ challenge, deriveKey }) });
      };
      assert.equal(await solve({ data: { app: "app_another0000000000" } }), "pow_invalid");
      assert.equal(await solve({ hmacSignatureSecret: SECRET }), "pow_invalid", "the secret of version 1");
      assert.equal(await solve({ expiresAt: new Date(Date.now() - 2000) }), "pow_expired");
      assert.equal(await solve({ expiresAt: undefined }), "pow_invalid");
      const probabilistic = { counter: undefined, keyPrefix: "0", hmacKeySignatureSecret: undefined };
      assert.equal(await solve(probabilistic), "pow_invalid", "it would cost the server a key derivation");
    });
  });
}
