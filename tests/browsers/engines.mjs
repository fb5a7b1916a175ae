/** Each engine in the browser's worker: the best by itself, the others asked for by name. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { workersEnded } from "../support/browsers/index.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { usual, vectors } from "../support/vectors.mjs";
import { solverIn } from "../package/page-solver.mjs";
import { testEngine, testSolve } from "../package/suite.mjs";

/** An engine that rests is ended after this long, by the package's own word; 20 seconds more for a busy machine. */
const IDLE_MS = 5_000 + 20_000;

/** Of every hash function, with and without a solution: the whole list takes the slower engines minutes. */
const SOME = vectors.filter((_, index) => index % 8 === 0);

const BACKENDS = {
  simd128: {
    backend: { engine: "simd128", thread: "worker" },
    rareBackend: {
      engine: "scalar",
      thread: "worker",
      reason: "the challenge's hash function has no SIMD engine",
    },
  },
  scalar: asked("scalar"),
  javascript: asked("javascript"),
};

function asked(engine) {
  const backend = { engine, thread: "worker", reason: "the caller asked for no better engine" };
  return { backend, rareBackend: backend };
}

export function testEngines(browser, { tarball }) {
  for (const [engine, backends] of Object.entries(BACKENDS)) {
    describe(engine, async () => {
      const site = await serveFiles({
        folders: { "/saltmine/": tarball.dist },
        files: { "/": BLANK_PAGE },
      });
      const page = await browser.open(site.origin);
      after(async () => {
        await page.close();
        await site.close();
      });
      const best = engine === "simd128";
      const solver = solverIn(page, tarball.entryPoints.web, best ? {} : { engine });
      if (best) testSolve({ ...solver, ...backends });
      else testEngine({ ...solver, ...backends, some: SOME });

      test("at rest its workers end", async () => {
        assert.equal((await solver.solve(usual)).number, usual.number);
        await workersEnded(page, IDLE_MS);
      });

      test("nothing is red in the console", { skip: !page.complaints && "this driver does not tell" }, () =>
        assert.deepEqual(page.complaints, []),
      );
    });
  }
}
