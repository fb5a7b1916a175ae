/** Every fallback of the engine selection, under the real policy or the real fault that causes it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { oneOf } from "../support/attempts.mjs";
import { launchBrowser, openPage, workersGone } from "../support/browser.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { until } from "../support/client-pages.mjs";
import { usual, vectors } from "../support/vectors.mjs";
import { solverIn } from "./page-solver.mjs";

const { dist, entryPoints, remove } = await installTarball();
const browser = await launchBrowser(["--host-resolver-rules=MAP plain.test 127.0.0.1"]);
after(async () => {
  await browser.close();
  await remove();
});

const { number, ...challenge } = usual;
const hopeless = { ...challenge, challenge: "0".repeat(64), maxnumber: 5_000_000 };
/** A challenge with another hash function; its `number` is known. */
const rare = (name) => vectors.find(({ algorithm, number }) => algorithm === name && number > 0);
const WORKER = "/saltmine/worker.js";
const WASM = /\.wasm$/;
/** An engine that rests is ended after this long, by the package's own word; 20 seconds more for a busy machine. */
const IDLE_MS = 5_000 + 20_000;

/** A page of a site that serves the package as `options` say. */
async function pageOn(t, { host = "127.0.0.1", ...options }) {
  const site = await serveFiles({ folders: { "/saltmine/": dist }, ...options });
  const { page, complaints, context } = await openPage(browser, site.origin.replace("127.0.0.1", host));
  t.after(async () => {
    await context.close();
    await site.close();
  });
  return { ...solverIn(page, entryPoints.web), page, complaints, site };
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

describe("from another origin", () => {
  const cdn = (t, options = {}) =>
    serveFiles({
      folders: { "/saltmine/": dist },
      headers: { "access-control-allow-origin": "*" },
      ...options,
    }).then((site) => {
      t.after(site.close);
      return site;
    });

  test("a script of the page's own origin imports the worker, and no global is left changed", async (t) => {
    const { origin } = await cdn(t);
    const { page, complaints } = await pageOn(t, {});
    await page.evaluate(() => {
      globalThis.before = globalThis.Worker;
    });
    const { backend } = await solverIn(page, origin + entryPoints.web).solve(challenge);
    assert.deepEqual(backend, { engine: "simd128", thread: "worker" });
    assert.equal(await page.evaluate(() => globalThis.before === globalThis.Worker), true);
    assert.deepEqual(complaints, []);
  });

  test("on the page where the policy refuses that script", async (t) => {
    const { origin } = await cdn(t);
    const { page } = await pageOn(
      t,
      policy(`script-src 'self' 'wasm-unsafe-eval' ${origin}; worker-src ${origin}`),
    );
    assertOnPage(await solverIn(page, origin + entryPoints.web).solve(challenge), /^no worker: .+/);
  });

  test("assetsUrl names a folder there, or each file", async (t) => {
    const { origin, sent } = await cdn(t);
    // The page's own site has only the entry point.
    const files = { "/": BLANK_PAGE };
    for (const name of ["index.js", "search.js"])
      files[`/saltmine/${name}`] = await readFile(join(dist, name));
    const { page } = await pageOn(t, { folders: {}, files });
    const urls = Object.fromEntries(
      ["worker.js", "simd128.wasm", "scalar.wasm"].map((file) => [file, `${origin}/saltmine/${file}`]),
    );
    for (const assetsUrl of [`${origin}/saltmine`, `${origin}/saltmine/`, urls]) {
      const outcome = await page.evaluate(
        async ([entryPoint, challenge, assetsUrl]) =>
          (await import(entryPoint)).solve(challenge, { assetsUrl }),
        [entryPoints.web, challenge, assetsUrl],
      );
      assert.deepEqual(outcome.backend, { engine: "simd128", thread: "worker" });
    }
    assert.equal(sent.filter(({ path }) => path === WORKER).length, 3);
  });

  test("assetsUrl is where the JavaScript engine is, too", async (t) => {
    const { origin } = await cdn(t);
    const files = { "/": BLANK_PAGE };
    for (const name of ["index.js", "search.js"])
      files[`/saltmine/${name}`] = await readFile(join(dist, name));
    const { page } = await pageOn(t, {
      folders: {},
      files,
      ...policy(`script-src 'self' ${origin}; worker-src blob: ${origin}`),
    });
    const { backend } = await page.evaluate(
      async ([entryPoint, challenge, assetsUrl]) =>
        (await import(entryPoint)).solve(challenge, { assetsUrl }),
      [entryPoints.web, challenge, `${origin}/saltmine`],
    );
    assert.deepEqual([backend.engine, backend.thread], ["javascript", "worker"]);
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
    const { solve, page } = await pageOn(t, policy("worker-src 'none'"));
    await page.evaluate(() => {
      const { instantiate } = WebAssembly;
      globalThis.engines = 0;
      WebAssembly.instantiate = (...about) => {
        globalThis.engines += 1;
        return instantiate(...about);
      };
    });
    // So many that several workers would share them.
    const many = { ...hopeless, maxnumber: 9_000_000 };
    const { code, progress } = await solve(many, { workers: 4, watch: true });
    assert.equal(code, "no_solution");
    assert.equal(progress.at(-1).searched, 9_000_001);
    assert.equal(await page.evaluate(() => globalThis.engines), 1);
    const aborted = await solve(hopeless, { abortAtProgress: 2 });
    assert.equal(aborted.isReason, true);
    assert.ok(aborted.abortMs < 500, `the abort took ${aborted.abortMs} ms`);
    assert.equal((await solve(challenge)).number, number);
  });

  test("when the worker's file is missing", async (t) => {
    const answer = (path) => path === WORKER && { status: 404, body: "" };
    const { solve, page } = await pageOn(t, { answer });
    assertOnPage(await solve(challenge), /^no worker: .+/);
    await workersGone(page, 4_500);
  });

  test("when the worker's file is a page, as servers of one-page applications answer", async (t) => {
    const answer = (path) => path === WORKER && { type: "text/html", body: BLANK_PAGE };
    const { solve, page } = await pageOn(t, { answer });
    const { outcome, ms } = await timed(solve(challenge));
    assertOnPage(outcome, /^no worker: .+/);
    assert.ok(ms < 5_000, `it took ${ms} ms`);
    await workersGone(page, 4_500);
  });

  for (const [what, late] of [
    ["gives no sign of life", "self.postMessage = () => {};"],
    ["answers too late", "const post = postMessage; self.postMessage = (m) => setTimeout(post, 10_300, m);"],
  ]) {
    test(`when the worker ${what}; the next call does not wait for it again`, async (t) => {
      const { solve, page, complaints } = await pageOn(t, {
        answer: (path, file) => path === WORKER && { body: `${late}\n${file}` },
      });
      const { outcome, ms } = await timed(solve(challenge));
      assertOnPage(outcome, /^no worker: no sign of life for 10 s$/);
      assert.ok(ms < 15_000, `it took ${ms} ms`);
      await workersGone(page, 4_500);
      const next = await timed(solve(challenge));
      assertOnPage(next.outcome, /^no worker: no sign of life for 10 s$/);
      assert.ok(next.ms < 2_000, `the next took ${next.ms} ms`);
      assert.deepEqual(complaints, []);
    });
  }

  test("not when the caller gives up while the worker starts: it is ended at once", async (t) => {
    const { page } = await pageOn(t, {
      answer: (path) => path === WORKER && { body: "self.onmessage = () => {};" },
    });
    const code = page.evaluate(
      async ({ entryPoint, challenge }) => {
        const { solve } = await import(entryPoint);
        globalThis.giveUp = new AbortController();
        return solve(challenge, { signal: giveUp.signal }).catch(({ name }) => name);
      },
      { entryPoint: entryPoints.web, challenge },
    );
    await until("the worker", () => page.workers().length === 1);
    await page.evaluate(() => giveUp.abort());
    assert.equal(await code, "AbortError");
    await workersGone(page, 4_500);
  });

  for (const yields of [true, false]) {
    const how = yields ? "by scheduler.yield" : "where there is no scheduler.yield";
    test(`in slices of 8 ms, with time for others in between, ${how}`, async (t) => {
      const { page } = await pageOn(t, policy("script-src 'self'; worker-src 'none'"));
      const attempt = async () => {
        const told = await page.evaluate(measureSlices, {
          entryPoint: entryPoints.web,
          challenge: { ...hopeless, maxnumber: 2_000_000 },
          yields,
        });
        assert.equal(told.code, "no_solution");
        if (yields) {
          assert.ok(told.slices.length > 20, `${told.slices.length} slices`);
          const middle = told.slices.sort((one, other) => one - other)[told.slices.length >> 1];
          assert.ok(middle <= 8, `half of them took more than ${middle} ms`);
        }
        assert.ok(told.timers > 20, `a timer came only ${told.timers} times`);
      };
      // A busy machine takes the processor away now and then.
      await oneOf(8, attempt);
    });
  }

  test("when the worker's script throws", async (t) => {
    const answer = (path) => path === WORKER && { body: 'throw new Error("worn out");' };
    const { solve, page } = await pageOn(t, { answer });
    assertOnPage(await solve(challenge), /^no worker: .*worn out/);
    await workersGone(page, 4_500);
  });

  test("when the worker could load no wasm and the page can: JavaScript would be slower", async (t) => {
    let requests = 0;
    const { solve, site } = await pageOn(t, {
      // The page's requests for the worker, and the worker's own requests.
      answer: (path) => WASM.test(path) && ++requests <= 3 && { status: 404, body: "" },
    });
    assertOnPage(await solve(challenge), /^simd128: .+ answered 404; scalar: .+ answered 404$/);
    assert.equal(requests, 4);
    assert.ok(!site.sent.some(({ path }) => path.endsWith("javascript.js")));
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
    await inJavaScript(opened, "page", /^no worker: [^;]+; .*unsafe-eval/);
    await assertNoLongTask(opened.page, () => opened.solve({ ...hopeless, maxnumber: 400_000 }));
  });

  test("from a cold start with the slowest hash function on the page: no task is long", async (t) => {
    const tries = [];
    // A busy machine may take the processor away in mid-slice: a fault of ours shows every time.
    for (let i = 0; i < 4; i += 1) {
      const { solve, page } = await pageOn(t, policy("script-src 'self'; worker-src 'none'"));
      await watchLongTasks(page);
      const none = { ...rare("SHA-512"), challenge: "0".repeat(128), maxnumber: 20_000 };
      assert.equal((await solve(none)).code, "no_solution");
      tries.push(await longTasks(page));
      if (tries.at(-1).length === 0) return;
    }
    assert.fail(`long tasks (ms) in each of these searches: ${JSON.stringify(tries)}`);
  });

  test("when the browser has no WebAssembly", async (t) => {
    const none = "delete self.WebAssembly;";
    const opened = await pageOn(t, {
      answer: (path, file) => path === WORKER && { body: `${none}\n${file}` },
    });
    await inJavaScript(opened, "worker", /WebAssembly is not defined/);
  });

  test("not when only the worker cannot load the wasm: it gets what the page has loaded", async (t) => {
    const cut = "self.fetch = () => Promise.reject(new Error('cut off'));";
    const { solve } = await pageOn(t, {
      answer: (path, file) => path === WORKER && { body: `${cut}\n${file}` },
    });
    assert.deepEqual((await solve(challenge)).backend, { engine: "simd128", thread: "worker" });
  });

  test("when the wasm is missing; once it is there, the next call has it", async (t) => {
    let missing = true;
    const opened = await pageOn(t, {
      answer: (path) =>
        missing && WASM.test(path) && { status: 404, type: "text/html", body: "<h1>Not found</h1>" },
    });
    await inJavaScript(
      opened,
      "worker",
      /^simd128: .+ answered 404; scalar: .+ answered 404; on the page: simd128: .+ answered 404; .+$/,
    );
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

  test("when only the SIMD variant is broken, the scalar one is next, and every worker says why", async (t) => {
    const { solve, site } = await pageOn(t, {
      answer: (path) => path.endsWith("simd128.wasm") && { status: 404, body: "" },
    });
    const { number: found, backend } = await solve(challenge);
    assert.equal(found, number);
    assert.deepEqual([backend.engine, backend.thread], ["scalar", "worker"]);
    assert.match(backend.reason, /^simd128: .+ answered 404$/);
    // While one is busy the next is another worker, with the code that the first has compiled.
    const [, other] = await Promise.all([solve({ ...hopeless, maxnumber: 3_000_000 }), solve(challenge)]);
    assert.deepEqual(other.backend, backend);
    assert.equal(site.sent.filter(({ path }) => path.endsWith("scalar.wasm")).length, 1);
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
    await workersGone(page, 4_500);
  });
});

describe("SHA-1, SHA-384 and SHA-512", () => {
  const NO_SIMD_FOR_IT = "the challenge's hash function has no SIMD engine";
  for (const [text, engine, thread, reason] of [
    ["worker-src 'self'", "scalar", "worker", new RegExp(`^${NO_SIMD_FOR_IT}$`)],
    // The page has one instance, which is simd128 by then.
    ["worker-src 'none'", "simd128", "page", /^no worker: [^;]+; the page's .+ lacks .+: WebCrypto has it$/],
    ["script-src 'self'", "javascript", "worker", /^[^;]*unsafe-eval[^;]*$/],
    [
      "script-src 'self'; worker-src 'none'",
      "javascript",
      "page",
      /^no worker: [^;]+; [^;]*unsafe-eval[^;]*$/,
    ],
  ]) {
    test(`under ${text}: ${engine} in a ${thread}, and each reason is told once`, async (t) => {
      const { solveAll } = await pageOn(t, policy(text));
      const some = ["SHA-1", "SHA-384", "SHA-512"].map(rare);
      for (const [index, outcome] of (await solveAll(some)).entries()) {
        assert.equal(outcome.number, some[index].number, `${outcome.code}: ${outcome.message}`);
        assert.deepEqual([outcome.backend.engine, outcome.backend.thread], [engine, thread]);
        assert.match(outcome.backend.reason, reason);
      }
    });
  }
});

/** Measures in the page: the times between two pauses, and how often a timer of 5 ms fires during a search. */
async function measureSlices({ entryPoint, challenge, yields }) {
  const slices = [];
  let began;
  const pause = scheduler.yield.bind(scheduler);
  scheduler.yield = async () => {
    if (began !== undefined) slices.push(performance.now() - began);
    await pause();
    began = performance.now();
  };
  if (!yields) scheduler.yield = undefined;
  const { solve } = await import(entryPoint);
  let timers = 0;
  const timer = setInterval(() => {
    timers += 1;
  }, 5);
  const code = await solve(challenge).catch(({ code }) => code);
  clearInterval(timer);
  return { code, slices, timers };
}

/** Records the page's long tasks, as the browser defines them: 50 ms without a pause. */
function watchLongTasks(page) {
  return page.evaluate(() => {
    globalThis.longTasks = [];
    new PerformanceObserver((list) => {
      globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration));
    }).observe({ type: "longtask" });
  });
}

/** Those that were seen since the last call. */
function longTasks(page) {
  return page.evaluate(async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return globalThis.longTasks.splice(0);
  });
}

async function assertNoLongTask(page, work) {
  await watchLongTasks(page);
  const during = async (run) => {
    await run();
    return longTasks(page);
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
