/** The modules that are shipped, each by itself, number by number. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { installTarball } from "../support/tarball.mjs";

const { dist, remove } = await installTarball();
after(remove);

const instantiateWasm = async (name) =>
  (await WebAssembly.instantiate(await readFile(join(dist, name)))).instance.exports;
const instantiateScript = async (name) => (await import(pathToFileURL(join(dist, name)))).default();
const modules = {
  simd128: await instantiateWasm("simd128.wasm"),
  scalar: await instantiateWasm("scalar.wasm"),
  javascript: await instantiateScript("javascript.js"),
  "javascript, every hash function": await instantiateScript("javascript-all.js"),
};

/** Opens a challenge in a module; what it finds in `start..=end`, or -1. */
function searcher(module, challenge) {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(challenge))
    form.set(name, `${typeof value === "string" ? "s" : "n"}${value}`);
  const text = new TextEncoder().encode(form.toString());
  const input = module.reserve(text.length);
  new Uint8Array(module.memory.buffer).set(text, input);
  const work = module.open(input, text.length, 2 ** 53 - 1);
  return { run: (start, end) => module.run(work, start, end), close: () => module.close(work) };
}

const HASHES = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };

/** The naive twin. */
const digest = (algorithm, salt, number) =>
  createHash(HASHES[algorithm]).update(`${salt}${number}`).digest("hex");

const makeChallenge = (algorithm, salt, number) => {
  const challenge = digest(algorithm, salt, number);
  return { algorithm, challenge, salt, signature: challenge, maxnumber: 2 ** 53 - 1 };
};

/** Any text whose UTF-8 has at most 200 bytes. */
const anySalt = fc
  .string({ unit: "binary", maxLength: 200 })
  .map((text) =>
    new TextDecoder().decode(new TextEncoder().encode(text).slice(0, 200)).replace(/\uFFFD$/, ""),
  );
const anyNumber = fc.oneof(
  fc.nat(10 ** 9),
  // Where a number grows by one digit.
  fc
    .tuple(fc.nat(9), fc.integer({ min: -20, max: 20 }))
    .map(([digits, off]) => Math.max(0, 10 ** digits + off)),
);

for (const [name, module] of Object.entries(modules)) {
  describe(`${name}, number by number`, () => {
    const algorithms = /^(simd128|javascript)$/.test(name) ? ["SHA-256"] : Object.keys(HASHES);

    test("finds what its naive twin hashes, at every place of a range, and nothing beside it", () => {
      const property = fc.property(
        fc.constantFrom("SHA-256", "SHA-256", ...algorithms),
        anySalt,
        anyNumber,
        fc.nat(300),
        fc.nat(300),
        (algorithm, salt, number, before, behind) => {
          const search = searcher(module, makeChallenge(algorithm, salt, number));
          const [start, end] = [Math.max(0, number - before), number + behind];
          assert.equal(search.run(start, end), number);
          assert.equal(search.run(number, number), number);
          assert.equal(search.run(start, number), number);
          assert.equal(search.run(number, end), number);
          if (number > start) assert.equal(search.run(start, number - 1), -1);
          assert.equal(search.run(number + 1, end + 1), -1);
          search.close();
        },
      );
      fc.assert(property, { numRuns: 300 });
    });

    test("covers every candidate of a range once: cut anywhere, one part has the number", () => {
      const property = fc.property(
        anySalt,
        fc.nat(1200),
        fc.uniqueArray(fc.nat(1200)),
        (salt, number, cuts) => {
          const search = searcher(module, makeChallenge("SHA-256", salt, number));
          const ends = [...cuts.sort((one, other) => one - other), 1200];
          const found = ends.map((end, index) => search.run(index === 0 ? 0 : ends[index - 1] + 1, end));
          assert.deepEqual(
            found.filter((value) => value !== -1),
            [number],
          );
          search.close();
        },
      );
      fc.assert(property, { numRuns: 100 });
    });

    test("finds every number of a small range", () => {
      for (const salt of ["", "salt", "s".repeat(52), "s".repeat(55), "s".repeat(63), "s".repeat(119)]) {
        for (let number = 0; number <= 1100; number += 1) {
          const search = searcher(module, makeChallenge("SHA-256", salt, number));
          assert.equal(search.run(0, 1100), number, `${salt.length} bytes`);
          search.close();
        }
      }
    });

    test("its memory grows while a text is handed over, and every view stays right", () => {
      const salt = "🧂".repeat(200_000);
      const search = searcher(module, makeChallenge("SHA-256", salt, 5));
      assert.equal(search.run(0, 10), 5);
      search.close();
    });
  });
}

for (const name of ["javascript.js", "javascript-all.js"]) {
  test(`two instances of ${name} leave each other's memory alone`, async () => {
    const [one, other] = [await instantiateScript(name), await instantiateScript(name)];
    const search = searcher(other, makeChallenge("SHA-256", "salt", 500));
    const before = Buffer.from(other.memory.buffer.slice(0));
    const disturbing = searcher(one, makeChallenge("SHA-256", "salt", 7));
    assert.equal(disturbing.run(0, 10), 7);
    disturbing.close();
    assert.ok(before.equals(Buffer.from(other.memory.buffer)));
    assert.equal(search.run(0, 1000), 500);
    search.close();
  });
}
