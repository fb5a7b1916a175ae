/** The tests of the packed package, the same in every runtime: Node, Chromium, and each wasm variant. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { vectors } from "../support/vectors.mjs";
import { attempt } from "./attempt.mjs";

/** Quick to search, and a number at its very end. */
const small = {
  ...vectors.find(({ algorithm, number }) => algorithm === "SHA-256" && number > 900 && number < 5000),
};
const smallNumber = small.number;
delete small.number;

/** As much work as the default ceiling allows, for nothing. */
const hopeless = { ...small, challenge: "0".repeat(64), maxnumber: 10_000_000 };

const digestOf = (number) => createHash("sha256").update(`${small.salt}${number}`).digest("hex");

/** A challenge whose solution is the largest number that there is. */
const LARGEST = Number.MAX_SAFE_INTEGER;
const largest = { ...small, challenge: digestOf(LARGEST), maxnumber: LARGEST };

const without = (member) => Object.fromEntries(Object.entries(small).filter(([name]) => name !== member));

/** `[what is wrong, challenge, code, field]` */
const BAD_CHALLENGES = [
  ...["algorithm", "challenge", "salt", "signature"].flatMap((member) => [
    [`${member} is missing`, without(member), "challenge_malformed", member],
    [`${member} is null`, { ...small, [member]: null }, "challenge_malformed", member],
    [`${member} is a number`, { ...small, [member]: 42 }, "challenge_malformed", member],
  ]),
  ...["challenge", "signature"].flatMap((member) => [
    [`${member} is empty`, { ...small, [member]: "" }, "challenge_malformed", member],
    [`${member} is too short`, { ...small, [member]: "ab".repeat(31) }, "challenge_malformed", member],
    [`${member} is too long`, { ...small, [member]: "ab".repeat(33) }, "challenge_malformed", member],
    [`${member} is of odd length`, { ...small, [member]: "a".repeat(63) }, "challenge_malformed", member],
    [`${member} is not hex`, { ...small, [member]: `${"ab".repeat(31)}zz` }, "challenge_malformed", member],
    [
      `${member} is 64 code units that are no hex`,
      { ...small, [member]: "é".repeat(64) },
      "challenge_malformed",
      member,
    ],
  ]),
  ...[-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "1000", true, {}].map((value) => [
    `maxnumber is ${typeof value === "object" ? "an object" : JSON.stringify(value) === "null" ? value : JSON.stringify(value)}`,
    { ...small, maxnumber: value },
    "challenge_malformed",
    "maxnumber",
  ]),
  ["the algorithm is unknown", { ...small, algorithm: "SHA-3" }, "algorithm_unsupported", "algorithm"],
  ["the algorithm is empty", { ...small, algorithm: "" }, "algorithm_unsupported", "algorithm"],
  ["maxnumber is over the ceiling", { ...small, maxnumber: 10_000_001 }, "maxnumber_too_large", undefined],
  ["it is an empty object", {}, "challenge_malformed", "algorithm"],
  ["it is an array", [], "challenge_malformed", "algorithm"],
  ["it is null", null, "challenge_malformed", "algorithm"],
  ["it is undefined", undefined, "challenge_malformed", "algorithm"],
  ["it is a string", "challenge", "challenge_malformed", "algorithm"],
];

/** `[what is wrong, options, field]` */
const BAD_OPTIONS = [
  ...[0, 65, 1.5, "2", null].map((workers) => [
    `workers: ${JSON.stringify(workers)}`,
    { workers },
    "workers",
  ]),
  ["engine: wasm", { engine: "wasm" }, "engine"],
  ...[-1, 1.5, "7", Number.NaN].map((maxNumber) => [
    `maxNumber: ${JSON.stringify(maxNumber)}`,
    { maxNumber },
    "maxNumber",
  ]),
  ...[-1, 1.5, "7", 2 ** 53].map((start) => [`start: ${JSON.stringify(start)}`, { start }, "start"]),
];

/** A failure as a developer meets it: ours, with the code, and words that say what to do. */
/** An abort rejects with the reason that the caller gave, as the platform does. */
function assertAborted({ isReason, message }) {
  assert.equal(isReason, true, message);
  assert.equal(message, "the visitor left");
}

function assertFailure(outcome, code, field) {
  assert.equal(outcome.code, code, `${outcome.code}: ${outcome.message}`);
  assert.equal(outcome.field, field);
  assert.equal(outcome.ours, true, "it must be a SaltmineError");
  assert.match(outcome.message, /^[A-Z].{15,}\.( \(\w+\))?( — .+)?$/s);
  assert.doesNotMatch(outcome.message, /undefined|\[object/);
}

/**
 * Defines the tests of what an engine does. `solve(challenge, options)` is `attempt` in the runtime;
 * `solveAll(challenges)` its outcomes in order; `backend` what each search must have stood on, `rareBackend` those of
 * SHA-1, SHA-384 and SHA-512. `some` are the vectors for it.
 */
export function testEngine({ solve, solveAll, backend, rareBackend, some = vectors }) {
  test(some === vectors ? "every vector is solved" : `${some.length} vectors are solved`, async () => {
    const outcomes = await solveAll(some.map(({ number, ...challenge }) => challenge));
    assert.equal(outcomes.length, some.length);
    const wrong = some.flatMap(({ number, ...challenge }, index) => {
      const got = outcomes[index].number ?? outcomes[index].code;
      return got === (number ?? "no_solution") ? [] : [{ challenge, number, got }];
    });
    assert.deepEqual(wrong, []);
  });

  test("the result tells what it took and where it ran", async () => {
    const result = await solve(small);
    assert.equal(result.number, smallNumber);
    assert.deepEqual(result.backend, backend);
    assert.equal(result.hashes, smallNumber + 1);
    // A browser's clock may stand still for 0.1 ms, in which the small challenge is solved.
    const { tookMs } = await solve({ ...small, maxnumber: 200_000, challenge: digestOf(200_000) });
    assert.ok(tookMs > 0 && tookMs < 10_000, `${tookMs} ms`);
  });

  for (const algorithm of ["SHA-1", "SHA-384", "SHA-512"]) {
    test(`${algorithm} is solved by an engine that has it, and the result says which`, async () => {
      const { number, ...challenge } = vectors.find(
        (vector) => vector.algorithm === algorithm && vector.number > 0,
      );
      const result = await solve(challenge);
      assert.equal(result.number, number);
      assert.deepEqual(result.backend, rareBackend);

      const total = 200_001;
      const none = { ...challenge, challenge: "0".repeat(challenge.challenge.length), maxnumber: total - 1 };
      const shared = await solve(none, { workers: 2, watch: true });
      assertFailure(shared, "no_solution");
      assertProgress(shared.progress, total);
      assert.equal(shared.progress.at(-1).searched, total, "every candidate was covered once");

      const outcome = await solve({ ...none, maxnumber: 10_000_000 }, { abortAtProgress: 2 });
      assertAborted(outcome);
      assert.ok(outcome.abortMs < 500, `the abort took ${outcome.abortMs} ms`);
    });
  }

  test("an abort is heard by the engine: it is free for the next search", async () => {
    const long = { ...hopeless, maxnumber: 100_000_000 };
    const options = { workers: 1, maxNumber: long.maxnumber };
    assertAborted(await solve(long, { ...options, abortAtProgress: 8 }));
    const { number, tookMs } = await solve(small, { workers: 1 });
    assert.equal(number, smallNumber);
    assert.ok(tookMs < 4_000, `the next search took ${tookMs} ms`);
  });
}

/** Defines the tests of all that the package does, on such an engine. */
export function testSolve(runtime) {
  const { solve, rareBackend } = runtime;
  testEngine(runtime);

  test("how fast SHA-256 was says nothing of another hash function", { timeout: 60_000 }, async () => {
    assertFailure(await solve({ ...hopeless, maxnumber: 3_000_000 }, { workers: 2 }), "no_solution");
    const { number, ...challenge } = vectors.find(
      (vector) => vector.algorithm === "SHA-512" && vector.number,
    );
    const result = await solve({ ...challenge, maxnumber: 9_000_000 }, { workers: 2 });
    assert.equal(result.number, number);
    assert.deepEqual(result.backend, rareBackend);
  });

  test("algorithm names are compared without regard to case", async () => {
    assert.equal((await solve({ ...small, algorithm: "sha-256" })).number, smallNumber);
  });

  test("maxnumber may be absent, and members that are not known are ignored", async () => {
    const { maxnumber, ...challenge } = small;
    assert.equal((await solve(challenge)).number, smallNumber);
    assert.equal((await solve({ ...small, maxLength: 7, expiresAt: "soon" })).number, smallNumber);
  });

  describe("a bad challenge", () => {
    for (const [name, challenge, code, field] of BAD_CHALLENGES) {
      test(name, async () => assertFailure(await solve(challenge), code, field));
    }
  });

  test("the ceiling is the caller's, and it is inclusive", async () => {
    const { maxnumber } = small;
    assertFailure(await solve(small, { maxNumber: maxnumber - 1 }), "maxnumber_too_large");
    assert.equal((await solve(small, { maxNumber: maxnumber })).number, smallNumber);
    const large = await solve({ ...small, maxnumber: 20_000_000 }, { maxNumber: 20_000_000 });
    assert.equal(large.number, smallNumber);
  });

  describe("a bad option", () => {
    for (const [name, options, field] of BAD_OPTIONS) {
      test(name, async () => assertFailure(await solve(small, options), "invalid_options", field));
    }
  });

  for (const disguise of ["proxy", "method"]) {
    test(`a challenge object that cannot be cloned is read all the same (${disguise})`, async () => {
      assert.equal((await solve(small, { disguise })).number, smallNumber);
    });
  }

  test("no solution is an answer", async () => {
    assertFailure(await solve({ ...hopeless, maxnumber: 300_000 }), "no_solution");
    assertFailure(await solve({ ...small, maxnumber: 0 }), "no_solution");
  });

  test("a range begins at `start`, inclusive, and may be empty", async () => {
    assert.equal((await solve(small, { start: smallNumber })).number, smallNumber);
    for (const start of [smallNumber + 1, small.maxnumber, small.maxnumber + 1, LARGEST])
      assertFailure(await solve(small, { start }), "no_solution");
  });

  test("the largest number that there is", async () => {
    for (const workers of [1, 2]) {
      const options = { workers, maxNumber: LARGEST };
      for (const start of [LARGEST, LARGEST - 100_000])
        assert.equal((await solve(largest, { ...options, start })).number, LARGEST);
      const none = { ...largest, challenge: "0".repeat(64) };
      assertFailure(await solve(none, { ...options, start: LARGEST - 100_000 }), "no_solution");
    }
  });

  test("an abort before the call", async () => {
    const outcome = await solve(small, { abortBefore: true });
    assertAborted(outcome);
  });

  for (const workers of [1, 2, 3, 4]) {
    test(`workers: ${workers}`, async () => {
      assert.equal((await solve(small, { workers })).number, smallNumber);

      const total = 3_000_001;
      const late = await solve({ ...hopeless, maxnumber: total - 1 }, { workers, watch: true });
      assertFailure(late, "no_solution");
      assertProgress(late.progress, total);
      assert.equal(late.progress.at(-1).searched, total, "every candidate was covered once");

      const outcome = await solve(hopeless, { workers, abortAtProgress: 2 });
      assertAborted(outcome);
      assert.ok(outcome.abortMs < 500, `the abort took ${outcome.abortMs} ms`);
      assert.equal((await solve(small, { workers })).number, smallNumber, "an abort leaves nothing behind");
    });
  }

  test("searches at the same time do not disturb each other", async () => {
    const some = vectors.filter(({ number }) => number !== null).slice(0, 8);
    const results = await Promise.all(some.map(({ number, ...challenge }) => solve(challenge)));
    assert.deepEqual(
      results.map(({ number }) => number),
      some.map(({ number }) => number),
    );
  });
}

/** The solver for `testSolve`, for a package in this process; `always` are options of every search. */
export function solverHere(saltmine, always) {
  const solve = (challenge, options) => attempt(saltmine, challenge, { ...always, ...options });
  const solveAll = async (challenges) => {
    const outcomes = [];
    for (const challenge of challenges) outcomes.push(await solve(challenge));
    return outcomes;
  };
  return { solve, solveAll };
}

function assertProgress(progress, total) {
  assert.ok(progress.length >= 3, `${progress.length} events are no progress`);
  let last = 0;
  for (const event of progress) {
    assert.equal(event.total, total);
    assert.ok(event.searched > last && event.searched <= total, `${event.searched} after ${last}`);
    assert.equal(event.share, event.searched / total);
    assert.ok(event.hashesPerSecond > 0);
    last = event.searched;
  }
}
