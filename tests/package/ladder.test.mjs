/** Every step down the ladder, under the real policy or the real fault that causes it. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { launchBrowser, openPage, workersGone } from "../support/browser.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { usual } from "../support/vectors.mjs";
import { solverIn } from "./page-solver.mjs";

const { dist, doors, remove } = await installTarball();
const browser = await launchBrowser(["--host-resolver-rules=MAP plain.test 127.0.0.1"]);
after(async () => {
  await browser.close();
  await remove();
});

const { number, ...challenge } = usual;
const hopeless = { ...challenge, challenge: "0".repeat(64), maxnumber: 5_000_000 };
const WORKER = "/saltmine/worker.js";
const WASM = /\.wasm$/;
/** An engine that rests is ended after this long, by the package's own word; a second more for a busy machine. */
const IDLE_MS = 5_000 + 1_000;

/** A page of a site that serves the package as `options` say. */
async function pageOn(t, { host = "127.0.0.1", ...options }) {
  const site = await serveFiles({ folders: { "/saltmine/": dist }, ...options });
  const { page, complaints, context } = await openPage(browser, site.origin.replace("127.0.0.1", host));
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

  test("when the worker's file is a page, as servers of one-page applications answer", async (t) => {
    const answer = (path) => path === WORKER && { type: "text/html", body: BLANK_PAGE };
    const { solve, page } = await pageOn(t, { answer });
    const { outcome, ms } = await timed(solve(challenge));
    assertOnPage(outcome, /^no worker: .+/);
    assert.ok(ms < 5_000, `it took ${ms} ms`);
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

describe("in JavaScript", () => {
  const inJavaScript = async ({ solve, page }, thread, reason) => {
    const { outcome, ms } = await timed(solve(challenge));
    assert.equal(outcome.number, number, `${outcome.code}: ${outcome.message}`);
    assert.deepEqual([outcome.backend.engine, outcome.backend.thread], ["javascript", thread]);
    assert.match(outcome.backend.reason, reason);
    assert.ok(ms < 5_000, `it took ${ms} ms`);
    await workersGone(page, IDLE_MS);
  };

  test("when the policy forbids wasm", async (t) => {
    const opened = await pageOn(t, policy("script-src 'self'"));
    await inJavaScript(opened, "worker", /unsafe-eval/);
    const wasm = opened.site.sent.filter(({ path }) => WASM.test(path));
    assert.deepEqual(wasm, [], "what cannot run is not loaded");
  });

  test("when the policy forbids both wasm and workers; no task is long", async (t) => {
    const opened = await pageOn(t, policy("script-src 'self'; worker-src 'none'"));
    await inJavaScript(opened, "page", /^no worker: .+; on the page: .*unsafe-eval/);
    await assertNoLongTask(opened.page, () => opened.solve({ ...hopeless, maxnumber: 400_000 }));
  });

  test("when the browser has no WebAssembly", async (t) => {
    const none = "delete self.WebAssembly;";
    const opened = await pageOn(t, {
      answer: (path, file) => path === WORKER && { body: `${none}\n${file}` },
    });
    await inJavaScript(opened, "worker", /WebAssembly is not defined/);
  });

  test("when the wasm is missing; once it is there, the next call has it", async (t) => {
    let missing = true;
    const opened = await pageOn(t, {
      answer: (path) =>
        missing && WASM.test(path) && { status: 404, type: "text/html", body: "<h1>Not found</h1>" },
    });
    await inJavaScript(opened, "worker", /^simd128: .+ answered 404; scalar: .+ answered 404$/);
    missing = false;
    assert.deepEqual((await opened.solve(challenge)).backend, { engine: "simd128", thread: "worker" });
  });

  for (const [what, body] of [
    ["truncated", (file) => file.subarray(0, 1000)],
    ["a page", () => "<h1>Not found</h1>"],
  ]) {
    test(`when the wasm is ${what}`, async (t) => {
      const answer = (path, file) => WASM.test(path) && { type: "application/wasm", body: body(file) };
      await inJavaScript(await pageOn(t, { answer }), "worker", /^simd128: .+; scalar: .+$/);
    });
  }

  test("when only the SIMD variant is broken, the scalar one is next", async (t) => {
    const { solve } = await pageOn(t, {
      answer: (path) => path.endsWith("simd128.wasm") && { status: 404, body: "" },
    });
    const { number: found, backend } = await solve(challenge);
    assert.equal(found, number);
    assert.deepEqual([backend.engine, backend.thread], ["scalar", "worker"]);
    assert.match(backend.reason, /^simd128: .+ answered 404$/);
  });

  test("on plain http, where there is no crypto.subtle", async (t) => {
    // A host of its own is no secure context, as loopback is.
    const opened = await pageOn(t, { ...policy("script-src 'self'"), host: "plain.test" });
    const has = await opened.page.evaluate(() => [isSecureContext, typeof crypto.subtle]);
    assert.deepEqual(has, [false, "undefined"]);
    await inJavaScript(opened, "worker", /unsafe-eval/);
  });
});

describe("nowhere", () => {
  test("when no engine's code is there: an answer in limited time, and no worker left", async (t) => {
    const answer = (path) => /wasm$|javascript\.js$/.test(path) && { status: 404, body: "" };
    const { solve, page } = await pageOn(t, { answer });
    const { outcome, ms } = await timed(solve(challenge));
    assert.equal(outcome.code, "engine_unavailable", JSON.stringify(outcome));
    assert.ok(ms < 12_000, `it took ${ms} ms`);
    await workersGone(page, 1_000);
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
