/** How many workers search, and what happens when one of them is slow, or is heard no more. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { until } from "../support/client-pages.mjs";
import { serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { usual } from "../support/vectors.mjs";
import { solverIn } from "./page-solver.mjs";

const { dist, entryPoints, remove } = await installTarball();
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await remove();
});

const { number, ...challenge } = usual;
const WORKER = "/saltmine/worker.js";
const hopeless = (maxnumber) => ({ ...challenge, challenge: "0".repeat(64), maxnumber });

/** A page whose workers are changed: `script(index, text)` gives the text of the worker that starts as number `index`. */
async function pageOn(t, script = (_index, text) => text) {
  let started = 0;
  const site = await serveFiles({
    folders: { "/saltmine/": dist },
    answer: (path, file) => path === WORKER && { body: script(started++, file) },
  });
  const { page, context } = await openPage(browser, site.origin);
  t.after(async () => {
    await context.close();
    await site.close();
  });
  return { ...solverIn(page, entryPoints.web), page, started: () => started };
}

describe("unless the caller says otherwise", () => {
  for (const [threads, most] of [
    [undefined, 1],
    [1, 1],
    [2, 1],
    [4, 3],
    [64, 8],
  ]) {
    test(`${threads} threads: ${most} ${most === 1 ? "worker" : "workers"}`, async (t) => {
      const { solve, page, started } = await pageOn(t);
      await page.evaluate((value) => {
        Object.defineProperty(navigator, "hardwareConcurrency", { value, configurable: true });
      }, threads);
      // Enough work for more than eight workers; the speed is measured first.
      const outcome = await solve(hopeless(60_000_000), { maxNumber: 60_000_000 });
      assert.equal(outcome.code, "no_solution");
      assert.equal(started(), most);
    });
  }
});

test("a worker on a slow core gets small parts, so that the others need not wait for it", async (t) => {
  const slow = `
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = async (module) => {
      const { exports } = await instantiate(module);
      const run = (...args) => {
        const began = performance.now();
        const number = exports.run(...args);
        for (const end = began + 12 * (performance.now() - began); performance.now() < end;);
        return number;
      };
      return { exports: { ...exports, run } };
    };`;
  const telling = (index, text) => `
    ${index === 1 ? slow : ""}
    ${text}
    const handle = self.onmessage;
    self.onmessage = (event) => {
      const { start, end } = event.data.request ?? {};
      if (end) new BroadcastChannel("parts").postMessage([${index}, end - start + 1]);
      handle(event);
    };`;
  const { solve, page } = await pageOn(t, telling);
  await page.evaluate(() => {
    globalThis.parts = [[], []];
    new BroadcastChannel("parts").onmessage = ({ data: [index, size] }) => parts[index].push(size);
  });
  const total = 20_000_000;
  const search = async (workers) => {
    const { code, progress } = await solve(hopeless(total - 1), { workers, maxNumber: total, watch: true });
    assert.equal(code, "no_solution");
    assert.equal(progress.at(-1).searched, total, "every candidate was covered once");
  };
  // So fast a worker usually is.
  await search(1);
  await search(2);
  const [usual, slower] = await page.evaluate(() => parts);
  assert.ok(slower.length >= 2, `it got ${slower.length} parts`);
  assert.ok(2 * Math.max(...slower) < Math.max(...usual), `parts of ${slower}, where others have ${usual}`);
});

describe("a worker that falls silent", () => {
  /** It proves itself, and answers nothing after that. */
  const silent = (text) =>
    `${text}\nconst handle = self.onmessage; self.onmessage = (event) => event.data.type === "start" && handle(event);`;

  /** A search during which the page's clock runs ahead; the worker's own clock does not. */
  async function hurried(t, script) {
    const { solve, page, started } = await pageOn(t, script);
    await page.clock.install();
    let over = false;
    const solving = solve(challenge).finally(() => {
      over = true;
    });
    await until(
      "the end",
      async () => {
        // Not while one starts: its time is limited, too.
        if (page.workers().length > 0) await page.clock.runFor(1_000);
        return over;
      },
      30_000,
    );
    return { ...(await solving), started: started() };
  }

  test("is replaced", async (t) => {
    const outcome = await hurried(t, (index, text) => (index === 0 ? silent(text) : text));
    assert.equal(outcome.number, number, `${outcome.code}: ${outcome.message}`);
    assert.deepEqual(outcome.backend, { engine: "simd128", thread: "worker" });
    assert.equal(outcome.started, 2);
  });

  test("with every other: an error, and no hang", async (t) => {
    const outcome = await hurried(t, (_index, text) => silent(text));
    assert.equal(outcome.code, "engine_failed");
    assert.match(outcome.message, /fell silent/);
    assert.equal(outcome.started, 4);
  });
});
