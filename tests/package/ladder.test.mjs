/** Every step down the ladder, under the real policy or the real fault that causes it. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { launchBrowser, openPage, workersGone } from "../support/browser.mjs";
import { serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { usual } from "../support/vectors.mjs";
import { solverIn } from "./page-solver.mjs";

const { dist, doors, remove } = await installTarball();
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await remove();
});

const { number, ...challenge } = usual;
const hopeless = { ...challenge, challenge: "0".repeat(64), maxnumber: 5_000_000 };
const WORKER = "/saltmine/worker.js";
const WASM = /\.wasm$/;

/** A page of a site that serves the package as `options` say. */
async function pageOn(t, options) {
  const site = await serveFiles({ folders: { "/saltmine/": dist }, ...options });
  const { page, complaints, context } = await openPage(browser, site.origin);
  t.after(async () => {
    await context.close();
    await site.close();
  });
  return { ...solverIn(page, doors.web), page, complaints, site };
}

const policy = (text) => ({ headers: { "content-security-policy": text } });

async function timed(promise) {
  const began = performance.now();
  const outcome = await promise;
  return { outcome, ms: performance.now() - began };
}

function assertOnPage({ number: found, code, message, backend }, reason) {
  assert.equal(found, number, `${code}: ${message}`);
  assert.equal(backend.thread, "page");
  assert.equal(backend.engine, "simd128");
  assert.match(backend.reason, reason);
}

describe("in a worker", () => {
  test("under the strictest policy that lets it", async (t) => {
    const { solve, complaints } = await pageOn(
      t,
      policy(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src data:",
      ),
    );
    assert.deepEqual((await solve(challenge)).backend, { engine: "simd128", thread: "worker" });
    assert.deepEqual(complaints, []);
  });

  test("when the server sends wasm under a wrong MIME type", async (t) => {
    const answer = (path) => WASM.test(path) && { type: "application/octet-stream" };
    const { solve } = await pageOn(t, { answer });
    assert.deepEqual((await solve(challenge)).backend, { engine: "simd128", thread: "worker" });
  });
});

describe("on the page's thread", () => {
  test("when the policy forbids workers; no task is long", async (t) => {
    const { solve, page } = await pageOn(
      t,
      policy("script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'"),
    );
    assertOnPage(await solve(challenge), /^no worker: .+/);
    await assertNoLongTask(page, () => solve({ ...hopeless, maxnumber: 1_500_000 }));
    assert.equal(page.workers().length, 0);
  });

  test("several workers become one there, and the whole range is searched", async (t) => {
    const { solve } = await pageOn(t, policy("worker-src 'none'"));
    const { code, progress } = await solve({ ...hopeless, maxnumber: 500_000 }, { workers: 4, watch: true });
    assert.equal(code, "no_solution");
    assert.equal(progress.at(-1).searched, 500_001);
    const aborted = await solve(hopeless, { abortAtProgress: 2 });
    assert.equal(aborted.code, "aborted");
    assert.ok(aborted.abortMs < 500, `the abort took ${aborted.abortMs} ms`);
    assert.equal((await solve(challenge)).number, number);
  });

  test("when the worker's file is missing", async (t) => {
    const answer = (path) => path === WORKER && { status: 404, body: "" };
    const { solve, page } = await pageOn(t, { answer });
    assertOnPage(await solve(challenge), /^no worker: .+/);
    await workersGone(page, 1_000);
  });

  test("when the worker gives no sign of life", async (t) => {
    const { solve, page } = await pageOn(t, {
      answer: (path) => path === WORKER && { body: "self.onmessage = () => {};" },
    });
    const { outcome, ms } = await timed(solve(challenge));
    assertOnPage(outcome, /no sign of life/);
    assert.ok(ms < 15_000, `it took ${ms} ms`);
    await workersGone(page, 1_000);
  });

  test("when the worker's script throws", async (t) => {
    const answer = (path) => path === WORKER && { body: 'throw new Error("worn out");' };
    const { solve, page } = await pageOn(t, { answer });
    assertOnPage(await solve(challenge), /^no worker: .*worn out/);
    await workersGone(page, 1_000);
  });

  test("when only the worker is refused its wasm", async (t) => {
    const refuse = 'WebAssembly.instantiate = () => Promise.reject(new Error("refused here"));';
    const streaming = "WebAssembly.instantiateStreaming = WebAssembly.instantiate;";
    const { solve, page } = await pageOn(t, {
      answer: (path, file) => path === WORKER && { body: [refuse, streaming, file].join("\n") },
    });
    assertOnPage(await solve(challenge), /^no worker: .*refused here/);
    await workersGone(page, 1_000);
  });

  test("when the package comes from another origin", async (t) => {
    const cdn = await serveFiles({
      folders: { "/saltmine/": dist },
      headers: { "access-control-allow-origin": "*" },
    });
    t.after(cdn.close);
    const { page } = await pageOn(t, {});
    assertOnPage(await solverIn(page, cdn.origin + doors.web).solve(challenge), /^no worker: .+/);
  });

  test("when the policy wants trusted script URLs", async (t) => {
    const { solve } = await pageOn(t, policy("require-trusted-types-for 'script'"));
    assertOnPage(await solve(challenge), /^no worker: .+/);
  });
});

describe("nowhere", () => {
  test("when the policy forbids wasm: an answer in limited time, and no worker left", async (t) => {
    const { solve, page } = await pageOn(t, policy("script-src 'self'"));
    const { outcome, ms } = await timed(solve(challenge));
    assert.equal(outcome.code, "engine_unavailable", JSON.stringify(outcome));
    assert.match(outcome.message, /wasm-unsafe-eval/);
    assert.ok(ms < 12_000, `it took ${ms} ms`);
    await workersGone(page, 1_000);
  });

  test("when the wasm is missing; once it is there, the next call works", async (t) => {
    let missing = true;
    const { solve, page } = await pageOn(t, {
      answer: (path) =>
        missing && WASM.test(path) && { status: 404, type: "text/html", body: "<h1>Not found</h1>" },
    });
    const { outcome, ms } = await timed(solve(challenge));
    assert.equal(outcome.code, "engine_unavailable", JSON.stringify(outcome));
    assert.ok(ms < 12_000, `it took ${ms} ms`);
    await workersGone(page, 1_000);
    missing = false;
    assert.deepEqual((await solve(challenge)).backend, { engine: "simd128", thread: "worker" });
  });
});

/** What the browser itself calls a long task: 50 ms without a pause. */
async function assertNoLongTask(page, work) {
  await page.evaluate(() => {
    globalThis.longTasks = [];
    new PerformanceObserver((list) => {
      globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration));
    }).observe({ type: "longtask" });
  });
  const during = async (run) => {
    await run();
    return page.evaluate(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return globalThis.longTasks.splice(0);
    });
  };
  // The observer must see one, or it proves nothing.
  const seen = await during(() =>
    page.evaluate(() => {
      setTimeout(() => {
        for (const end = performance.now() + 120; performance.now() < end;);
      });
    }),
  );
  assert.notDeepEqual(seen, [], "the observer is blind");
  // A busy machine may take the processor away in mid-slice: a fault of ours shows every time.
  const tries = [];
  for (let i = 0; i < 8; i += 1) {
    tries.push(await during(work));
    if (tries.at(-1).length === 0) return;
  }
  assert.fail(`long tasks (ms) in each of these searches: ${JSON.stringify(tries)}`);
}
