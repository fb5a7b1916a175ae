/** ALTCHA version 2 with altcha-lib 2.8, in both directions, for every algorithm. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as theirs from "altcha-lib-2";
import {
  CHEAP,
  deriveKeyOf,
  ourChallenge,
  payloadOf,
  theirChallenge,
  theyVerify,
  vectors,
  weVerify,
} from "../support/altcha-v2.mjs";
import { installTarball } from "../support/tarball.mjs";

const { entryPoints, installed, remove } = await installTarball();
const { solve } = await import(entryPoints.node);
const library = await import(pathToFileURL(`${installed}/dist/altcha-lib.js`).href);
after(remove);

for (const algorithm of Object.keys(CHEAP)) {
  describe(algorithm, () => {
    test("altcha-lib's deterministic challenge: found with the same counter, verified by it", async () => {
      const challenge = await theirChallenge(algorithm, { counter: 137 });
      const { counter, derivedKey, keys, tookMs, backend } = await solve(challenge);
      assert.equal(counter, 137);
      assert.ok(await theyVerify(challenge, { counter, derivedKey }));
      assert.ok(keys >= 1 && tookMs > 0);
      assert.equal(backend.engine, "simd128");
      assert.equal(backend.thread, "worker");
    });

    test("altcha-lib's probabilistic challenge, with an odd number of digits", async () => {
      const challenge = await theirChallenge(algorithm, {
        keyPrefix: "0",
        hmacKeySignatureSecret: undefined,
      });
      const { counter, derivedKey } = await solve(challenge);
      assert.ok(derivedKey.startsWith("0"));
      assert.ok(await theyVerify(challenge, { counter, derivedKey }));
    });

    test("without SIMD", async () => {
      const challenge = await theirChallenge(algorithm, { counter: 21 });
      const { counter, derivedKey, backend } = await solve(challenge, { engine: "scalar", workers: 1 });
      assert.deepEqual([counter, backend.engine], [21, "scalar"]);
      assert.ok(await theyVerify(challenge, { counter, derivedKey }));
    });

    test("our challenge: altcha-lib solves it, we verify that; and we solve it ourselves", async () => {
      const challenge = await ourChallenge(algorithm, 33);
      const solution = await theirs.solveChallenge({ challenge, deriveKey: deriveKeyOf(algorithm) });
      assert.equal(solution.counter, 33);
      assert.equal(await weVerify(payloadOf(challenge, solution)), "verified");
      const { counter, derivedKey } = await solve(challenge);
      assert.equal(await weVerify(payloadOf(challenge, { counter, derivedKey })), "verified");
    });

    test("`saltmine/altcha-lib` in the place of altcha-lib 2.x", async () => {
      const challenge = await theirChallenge(algorithm, { counter: 9 });
      const deriveKey = () => assert.fail("it must not be called");
      for (const solution of [
        await library.solveChallenge({ challenge, deriveKey }),
        await library.solveChallengeWorkers({ challenge, concurrency: 2, createWorker: deriveKey }),
      ]) {
        assert.deepEqual(Object.keys(solution), ["counter", "derivedKey", "time"]);
        assert.equal(solution.counter, 9);
        assert.ok(await theyVerify(challenge, solution));
      }
    });
  });
}

for (const algorithm of ["SHA-256", "SHA-512", "PBKDF2/SHA-256", "PBKDF2/SHA-384"]) {
  test(`${algorithm} with WebCrypto`, async () => {
    const challenge = await theirChallenge(algorithm, { counter: 30 });
    const { counter, derivedKey, backend } = await solve(challenge, { engine: "webcrypto" });
    assert.deepEqual([counter, backend.engine], [30, "webcrypto"]);
    assert.ok(await theyVerify(challenge, { counter, derivedKey }));
  });
}

test("every shared vector whose counter is written in four bytes", async () => {
  const solved = vectors.filter(({ counterMode }) => counterMode === "uint32");
  assert.ok(solved.length >= 70);
  for (const { name, challenge, solution } of solved) {
    // If the counter is large, only the last part of the range is searched.
    const start = Math.max(0, solution.counter - 400);
    const { counter, derivedKey } = await solve(challenge, { start, workers: 1, engine: "simd128" });
    assert.deepEqual(
      { counter, derivedKey },
      { counter: solution.counter, derivedKey: solution.derivedKey },
      name,
    );
  }
});

test("progress: keys derived, and a share only where the range is known", async () => {
  const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 3000 });
  for (const maxCounter of [undefined, 3999]) {
    const told = [];
    const { keys } = await solve(challenge, { onProgress: (progress) => told.push(progress), maxCounter });
    assert.ok(told.length > 0);
    assert.ok(told.at(-1).searched <= keys);
    assert.ok(told.every(({ searched }, at) => at === 0 || searched > told[at - 1].searched));
    for (const { searched, total, share, keysPerSecond } of told) {
      assert.equal(total, maxCounter === undefined ? null : 4000);
      assert.equal(share, maxCounter === undefined ? null : searched / 4000);
      assert.ok(keysPerSecond > 0);
    }
  }
});

test("the work of a deterministic challenge is counter + 1, and little more", async () => {
  const challenge = await theirChallenge("PBKDF2/SHA-256", { cost: 1000, counter: 2000 });
  const { keys } = await solve(challenge, { workers: 2 });
  assert.ok(keys >= 1800 && keys <= 2400, String(keys));
});

test("no solution in the range; an abort", async () => {
  const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 500 });
  await assert.rejects(solve(challenge, { maxCounter: 499 }), { code: "no_solution" });
  assert.equal((await solve(challenge, { maxCounter: 500 })).counter, 500);
  const controller = new AbortController();
  const solving = solve(
    await theirChallenge("PBKDF2/SHA-256", { cost: 5000, counter: 400_000, deriveKey: pretend }),
    {
      signal: controller.signal,
    },
  );
  setTimeout(() => controller.abort(), 100);
  await assert.rejects(solving, { name: "AbortError" });
  const began = performance.now();
  const stopped = library.solveChallenge({
    challenge: await theirChallenge("PBKDF2/SHA-256", { cost: 5000, counter: 9e5, deriveKey: pretend }),
    timeout: 200,
  });
  assert.equal(await stopped, null);
  assert.ok(performance.now() - began < 2_000);
});

test("a time limit beyond the longest timer is none", async () => {
  const challenge = await theirChallenge("PBKDF2/SHA-256", { cost: 5000, counter: 60 });
  for (const timeout of [0, 2 ** 31 - 1, 2 ** 31, Infinity])
    assert.equal((await library.solveChallenge({ challenge, timeout }))?.counter, 60, `${timeout} ms`);
});

/** A key that no counter has. */
async function pretend() {
  return { derivedKey: new Uint8Array(32).fill(7) };
}

test("malformed challenges name the member", async () => {
  const { parameters, signature } = await theirChallenge("ARGON2ID", { counter: 3 });
  const cases = {
    "parameters.algorithm": [{ algorithm: 5 }],
    "parameters.nonce": [{ nonce: "" }, { nonce: "abc" }, { nonce: 5 }, { nonce: "zz" }],
    "parameters.salt": [{ salt: "00" }, { salt: null }],
    "parameters.cost": [{ cost: 0 }, { cost: 1.5 }, { cost: "3" }, { cost: 2 ** 32 }, { cost: null }],
    "parameters.memoryCost": [{ memoryCost: 7 }, { memoryCost: null }, { parallelism: 100 }],
    "parameters.keyLength": [{ keyLength: 3 }, { keyLength: 1025 }],
    "parameters.keyPrefix": [{ keyPrefix: "" }, { keyPrefix: "zz" }, { keyPrefix: "0".repeat(65) }],
  };
  for (const [field, changes] of Object.entries(cases)) {
    for (const change of changes) {
      const challenge = { parameters: { ...parameters, ...change }, signature };
      await assert.rejects(solve(challenge), { code: "challenge_malformed", field }, JSON.stringify(change));
    }
  }
  for (const algorithm of ["pbkdf2/sha-256", "SHA-1", "toString"]) {
    await assert.rejects(solve({ parameters: { ...parameters, algorithm } }), {
      code: "algorithm_unsupported",
    });
  }
  const nulls = { ...parameters, parallelism: null };
  assert.equal((await solve({ parameters: nulls })).counter, 3);
  await assert.rejects(solve({ parameters }, { engine: "webcrypto" }), { code: "engine_unavailable" });
  for (const options of [
    { engine: "javascript" },
    { workers: 0 },
    { start: -1 },
    { maxCounter: 2 ** 32 },
    { maxNumber: 1_000 },
    { timeout: 5 },
  ]) {
    await assert.rejects(solve({ parameters }, options), {
      code: "invalid_options",
      field: Object.keys(options)[0],
    });
  }
  assert.equal((await solve({ parameters }, { maxNumber: undefined, timeout: undefined })).counter, 3);
});
