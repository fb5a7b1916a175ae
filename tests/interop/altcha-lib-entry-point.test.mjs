/** `saltmine/altcha-lib` in the place of altcha-lib 1.4.1: the same calls, the same results. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as theirs from "altcha-lib";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { installTarball, runNode } from "../support/tarball.mjs";
import { threadCount, threadsGone } from "../support/threads.mjs";
import { vectors } from "../support/vectors.mjs";

const { folder, installed, remove } = await installTarball();
const ours = await import(pathToFileURL(`${installed}/dist/altcha-lib.js`).href);
const server = await startServer({ INKEEP_POW_DIFFICULTY: "20000" });
after(async () => {
  await server.stop();
  await remove();
});

const hmacKey = "a key of this test";
const WORKER = new URL("node_modules/altcha-lib/dist/worker.js", "https://example.com");

/** The result of either library, without the time that it took. */
const numberOf = (solution) => solution && { ...solution, took: typeof solution.took };

describe("solveChallenge", () => {
  const cases = {
    "its defaults": ["SHA-256"],
    "SHA-1": ["SHA-1", 5_000],
    "SHA-512": ["SHA-512", 5_000],
    "SHA-384": ["SHA-384", 5_000],
    "the first number": ["SHA-256", 1_000, 0, 0],
    "the last number": ["SHA-256", 1_000, 0, 1_000],
    "past the last number": ["SHA-256", 1_000, 0, 1_001],
    "from its start on": ["SHA-256", 2_000, 700, 700],
    "before its start": ["SHA-256", 2_000, 700, 699],
    "a start beyond the end": ["SHA-256", 100, 101, 50],
    "a negative end": ["SHA-256", -1, 0, 0],
    "an end between two numbers": ["SHA-256", 10.5, 0, 10],
  };
  for (const [name, [algorithm, max, start, number = 321]] of Object.entries(cases)) {
    test(name, async () => {
      const { challenge, salt } = await theirs.createChallenge({
        hmacKey,
        algorithm,
        number,
        maxNumber: 10_000,
      });
      const asked = [challenge, salt, algorithm, max, start];
      const found = await ours.solveChallenge(...asked).promise;
      assert.deepEqual(numberOf(found), numberOf(await theirs.solveChallenge(...asked).promise));
    });
  }

  test("without algorithm, end and start", async () => {
    const { challenge, salt } = await theirs.createChallenge({ hmacKey, number: 1_234 });
    assert.equal((await ours.solveChallenge(challenge, salt).promise).number, 1_234);
  });

  for (const [what, digest] of Object.entries({
    "in capital letters": vectors[1].challenge.toUpperCase(),
    "that is too short": "00ff",
    "that is none": "not a digest",
    "of nothing": "",
  })) {
    test(`a digest ${what} has no solution`, async () => {
      assert.equal(await theirs.solveChallenge(digest, "salt", "SHA-256", 50).promise, null);
      assert.equal(await ours.solveChallenge(digest, "salt", "SHA-256", 50).promise, null);
    });
  }

  test("null when its controller is aborted, before and while it searches", async () => {
    for (const waitMs of [0, 100]) {
      const { promise, controller } = ours.solveChallenge("0".repeat(64), "salt", "SHA-256", 1e9);
      if (waitMs) await new Promise((resolve) => setTimeout(resolve, waitMs));
      const began = performance.now();
      controller.abort();
      assert.equal(await promise, null);
      assert.ok(performance.now() - began < 1_000);
    }
  });

  test("a hash function that nobody knows is an error in both", async () => {
    await assert.rejects(theirs.solveChallenge("00", "salt", "MD5", 5).promise);
    await assert.rejects(ours.solveChallenge("00", "salt", "MD5", 5).promise);
  });

  test("every known challenge", async () => {
    for (const { number, challenge, salt, algorithm, maxnumber } of vectors) {
      const found = await ours.solveChallenge(challenge, salt, algorithm, maxnumber).promise;
      assert.equal(found?.number ?? null, number);
    }
  });
});

describe("solveChallengeWorkers", () => {
  test("finds what altcha-lib finds, says `worker`, and has no use for the script", async () => {
    const { challenge, salt } = await theirs.createChallenge({ hmacKey, number: 4_321 });
    for (const script of [WORKER, String(WORKER), () => assert.fail("it must not be called")]) {
      const { took, ...found } = await ours.solveChallengeWorkers(
        script,
        4,
        challenge,
        salt,
        "SHA-256",
        10_000,
      );
      assert.deepEqual(found, { number: 4_321, worker: true });
      assert.ok(Number.isInteger(took));
    }
  });

  test("counts the end from the start, as altcha-lib does", async () => {
    const { challenge, salt } = await theirs.createChallenge({ hmacKey, number: 5_900 });
    const search = (max, start) =>
      ours
        .solveChallengeWorkers(WORKER, 4, challenge, salt, "SHA-256", max, start)
        .then((found) => found?.number ?? null);
    assert.equal(await search(1_000, 5_000), 5_900);
    assert.equal(await search(800, 5_000), null);
    assert.equal(await search(1_000, 5_901), null);
  });

  test("as many threads as the work is worth, at most as asked for", async () => {
    // Engines of the tests before rest for five seconds.
    await threadsGone(25_000);
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, threadCount())), 5);
    assert.equal(await ours.solveChallengeWorkers(WORKER, 3, "0".repeat(64), "salt", "SHA-256", 4e7), null);
    clearInterval(watching);
    assert.equal(most, 3);
  });
});

test("code written for altcha-lib, with one import changed, gets a session from the reference server", async () => {
  const program = (library) => `
    import { solveChallenge } from ${JSON.stringify(library)};
    const base = ${JSON.stringify(server.baseUrl)};
    const challenge = await (await fetch(base + "/run/auth/pow/challenge")).json();
    const { promise } = solveChallenge(challenge.challenge, challenge.salt, challenge.algorithm, challenge.maxnumber);
    const { number } = await promise;
    const { algorithm, salt, signature } = challenge;
    const solution = btoa(JSON.stringify({ algorithm, challenge: challenge.challenge, number, salt, signature }));
    const response = await fetch(base + "/run/auth/apps/${DEMO_APP_ID}/anonymous-session", {
      method: "POST",
      headers: { "X-Inkeep-Challenge-Solution": solution, Origin: "http://127.0.0.1" },
    });
    console.log(response.status, Object.keys(await response.json()).join());`;
  for (const library of [import.meta.resolve("altcha-lib"), "saltmine/altcha-lib"]) {
    const { stdout, stderr } = await runNode(folder, program(library));
    assert.equal(stdout.trim(), "200 token,expiresAt", `${library}: ${stderr}`);
  }
});
