/** A minute of mixed load, on either database, with `kill -9` in the middle. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mixedLoad } from "./mixed.mjs";

for (const [name, databaseUrl] of [
  ["SQLite", undefined],
  ["PostgreSQL", process.env.SALTMINE_TEST_POSTGRES_URL],
]) {
  test(`nothing is forgotten and nothing accepted twice: ${name}`, async (t) => {
    if (name === "PostgreSQL" && !databaseUrl) return t.skip("SALTMINE_TEST_POSTGRES_URL names no server");
    const { sentence, faults, accepted, conversations } = await mixedLoad({ seconds: 60, databaseUrl });
    t.diagnostic(sentence);
    assert.deepEqual(faults, []);
    assert.ok(accepted > 200 && conversations > 200, sentence);
  });
}
