/** The modules that are shipped, each by itself, number by number. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { instantiate, search } from "../support/module.mjs";
import { installTarball } from "../support/tarball.mjs";

const { dist, remove } = await installTarball();
after(remove);

/** Each instance has a glue of its own. */
const load = async (name) =>
  instantiate(await readFile(join(dist, name)), await import(`../../pkg/wasm/client.js?${name}`));
const modules = {
  simd128: await load("simd128.wasm"),
  scalar: await load("scalar.wasm"),
  javascript: (await (await import(pathToFileURL(join(dist, "javascript.js")))).load()).client,
};

const HASHES = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };

/** The reference implementation. */
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
    const algorithms = name === "scalar" ? Object.keys(HASHES) : ["SHA-256"];

    test("finds what the reference implementation hashes, at every place of a range, and nothing beside it", async () => {
      const property = fc.asyncProperty(
        fc.constantFrom("SHA-256", "SHA-256", ...algorithms),
        anySalt,
        anyNumber,
        fc.nat(300),
        fc.nat(300),
        async (algorithm, salt, number, before, behind) => {
          const challenge = makeChallenge(algorithm, salt, number);
          const [start, end] = [Math.max(0, number - before), number + behind];
          assert.equal(await search(module, challenge, start, end), number);
          assert.equal(await search(module, challenge, number, number), number);
          assert.equal(await search(module, challenge, start, number), number);
          assert.equal(await search(module, challenge, number, end), number);
          if (number > start) assert.equal(await search(module, challenge, start, number - 1), -1);
          assert.equal(await search(module, challenge, number + 1, end + 1), -1);
        },
      );
      await fc.assert(property, { numRuns: 300 });
    });

    test("covers every candidate of a range once: cut anywhere, one part has the number", async () => {
      const property = fc.asyncProperty(
        anySalt,
        fc.nat(1200),
        fc.uniqueArray(fc.nat(1200)),
        async (salt, number, cuts) => {
          const challenge = makeChallenge("SHA-256", salt, number);
          const ends = [...cuts.sort((one, other) => one - other), 1200];
          const found = [];
          for (const [index, end] of ends.entries())
            found.push(await search(module, challenge, index === 0 ? 0 : ends[index - 1] + 1, end));
          assert.deepEqual(
            found.filter((value) => value !== -1),
            [number],
          );
        },
      );
      await fc.assert(property, { numRuns: 100 });
    });

    test("finds every number of a small range", async () => {
      for (const salt of ["", "salt", "s".repeat(52), "s".repeat(55), "s".repeat(63), "s".repeat(119)]) {
        for (let number = 0; number <= 1100; number += 1) {
          const challenge = makeChallenge("SHA-256", salt, number);
          assert.equal(await search(module, challenge, 0, 1100), number, `${salt.length} bytes`);
        }
      }
    });

    test("its memory grows while a text is handed over, and every view stays right", async () => {
      const salt = "🧂".repeat(200_000);
      const challenge = makeChallenge("SHA-256", salt, 5);
      assert.equal(await search(module, challenge, 0, 10), 5);
    });
  });
}

test("a realm has one instance of the JavaScript engine, and two searches on it leave each other alone", async () => {
  const { load } = await import(pathToFileURL(join(dist, "javascript.js")));
  assert.equal((await load()).client, modules.javascript);
  const found = await Promise.all(
    [500, 7, 1000].map((number) =>
      search(modules.javascript, makeChallenge("SHA-256", "salt", number), 0, 1000),
    ),
  );
  assert.deepEqual(found, [500, 7, 1000]);
});
