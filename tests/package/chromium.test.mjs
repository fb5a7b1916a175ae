/** The packed package in headless Chromium. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { launchBrowser, openPage, workersGone } from "../support/browser.mjs";
import { serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { vectors } from "../support/vectors.mjs";
import { solverIn } from "./page-solver.mjs";
import { testSolve } from "./suite.mjs";

const { dist, entryPoints, remove } = await installTarball();
const site = await serveFiles({ folders: { "/saltmine/": dist } });
const browser = await launchBrowser();
const { page, complaints } = await openPage(browser, site.origin);
after(async () => {
  await browser.close();
  await site.close();
  await remove();
});

/** An engine that rests is ended after this long, by the package's own word; 20 seconds more for a busy machine. */
const IDLE_MS = 5_000 + 20_000;

const NO_SIMD_FOR_IT = "the challenge's hash function has no SIMD engine";
const usual = { ...vectors.find(({ algorithm, number }) => algorithm === "SHA-256" && number > 900) };

describe("solve in Chromium", () => {
  test("the import starts nothing: no worker, no further request, no global", async () => {
    const globals = await page.evaluate(async (entryPoint) => {
      const before = Reflect.ownKeys(globalThis).map(String);
      await import(entryPoint);
      return Reflect.ownKeys(globalThis)
        .map(String)
        .filter((name) => !before.includes(name));
    }, entryPoints.web);
    assert.deepEqual(globals, []);
    assert.equal(page.workers().length, 0);
    assert.deepEqual(
      site.sent.map(({ path }) => path),
      ["/", entryPoints.web],
    );
  });

  test("a search loads its own code, the worker and one wasm variant, each once, and nothing else", async () => {
    await solverIn(page, entryPoints.web).solve(usual);
    const paths = site.sent.map(({ path }) => path);
    assert.deepEqual(paths.slice(0, 3), ["/", entryPoints.web, "/saltmine/search.js"]);
    // At the same time, in either order.
    assert.deepEqual(paths.slice(3).sort(), ["/saltmine/simd128.wasm", "/saltmine/worker.js"]);
  });

  testSolve({
    ...solverIn(page, entryPoints.web),
    backend: { engine: "simd128", thread: "worker" },
    rareBackend: { engine: "scalar", thread: "worker", reason: NO_SIMD_FOR_IT },
  });

  test("as many workers as the work is worth, at most as asked for; none outlives the idle time", async () => {
    let most = 0;
    page.on("worker", () => {
      most = Math.max(most, page.workers().length);
    });
    const workers = async (maxnumber, workers) => {
      await workersGone(page, IDLE_MS);
      most = 0;
      const hopeless = { ...usual, challenge: "0".repeat(64), maxnumber };
      const { code } = await solverIn(page, entryPoints.web).solve(hopeless, {
        workers,
        maxNumber: maxnumber,
      });
      assert.equal(code, "no_solution");
      return most;
    };
    assert.equal(await workers(50_000, 8), 1);
    assert.equal(await workers(40_000_000, 3), 3);
    // The next ones get the code that the first has compiled.
    const compiled = site.sent.filter(({ path }) => path.endsWith("simd128.wasm")).length;
    assert.equal(await workers(40_000_000, 3), 3);
    assert.equal(site.sent.filter(({ path }) => path.endsWith("simd128.wasm")).length, compiled);
    await workersGone(page, IDLE_MS);
  });

  test("nothing showed up red in the console", () => {
    assert.deepEqual(complaints, []);
  });
});
