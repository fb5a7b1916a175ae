/**
 * Five minutes of mixed load with faults, half of them on each database, both at once. SALTMINE_SOAK_SECONDS sets another
 * time for each;
 * `npm run load -- --hour` runs an hour.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { soak } from "./soak.mjs";

const seconds = Number(process.env.SALTMINE_SOAK_SECONDS ?? 150);

describe("a long mixed load with faults", { concurrency: true }, () => {
  for (const database of ["sqlite", "postgres"])
    test(`no solution is accepted twice and no turn lost: ${database}`, async (t) => {
      const outcome = await soak({ seconds, database });
      if (!outcome) return t.skip("there is no PostgreSQL");
      const { sentence, faults, accepted, conversations, happened } = outcome;
      t.diagnostic(sentence);
      assert.deepEqual(faults, []);
      // Few, so that a slow machine passes: what counts is above.
      assert.ok(accepted > seconds / 2 && conversations > seconds / 2, sentence);
      assert.ok(happened.kills > 0, sentence);
      const fault = database === "postgres" ? happened.restarts > 0 : happened.fills > 0 || !happened.hasDisk;
      assert.ok(fault, sentence);
    });
});
