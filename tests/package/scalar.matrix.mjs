/** The packed package where WebAssembly has no SIMD: in Chromium without SSE 4.1, which V8 needs for SIMD. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { vectors } from "../support/vectors.mjs";
import { solverIn } from "./page-solver.mjs";
import { testSolve } from "./suite.mjs";

/** V8 has a switch for SSE 4.1 only; other processors have no such switch. */
const skip = process.arch === "x64" ? false : "V8 has a switch for SIMD on x64 only";
const reason = "this runtime has no WebAssembly SIMD";

const { dist, entryPoints, remove } = await installTarball();
const site = await serveFiles({ folders: { "/saltmine/": dist } });
const strict = await serveFiles({
  folders: { "/saltmine/": dist },
  headers: { "content-security-policy": "worker-src 'none'" },
});
const browser = await launchBrowser(["--js-flags=--no-enable-sse4-1"]);
after(async () => {
  await browser.close();
  await site.close();
  await strict.close();
  await remove();
});

describe("solve in Chromium without SIMD", { skip }, async () => {
  const { page } = await openPage(browser, site.origin);
  const backend = { engine: "scalar", thread: "worker", reason };
  testSolve({ ...solverIn(page, entryPoints.web), backend, rareBackend: backend });

  test("the SIMD variant was not even loaded", () => {
    const wasm = site.sent.filter(({ path }) => path.endsWith(".wasm")).map(({ path }) => path);
    assert.deepEqual([...new Set(wasm)], ["/saltmine/scalar.wasm"]);
  });

  test("neither a worker nor SIMD: both reasons are told", async () => {
    const { number, ...challenge } = vectors[1];
    const { page: bare } = await openPage(browser, strict.origin);
    const outcome = await solverIn(bare, entryPoints.web).solve(challenge);
    assert.equal(outcome.number, number);
    assert.equal(outcome.backend.engine, "scalar");
    assert.equal(outcome.backend.thread, "page");
    assert.match(outcome.backend.reason, /^no worker: .+; this runtime has no WebAssembly SIMD$/);
  });
});
