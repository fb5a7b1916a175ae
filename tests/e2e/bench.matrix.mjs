/** The benchmark page as visitors meet it: the built page, the real server, headless Chromium. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { oneOf } from "../support/attempts.mjs";
import { launchBrowser, openPage, workersGone } from "../support/browser.mjs";
import { root } from "../support/paths.mjs";
import { rivalVersions } from "../support/report.mjs";
import { startServer } from "../support/server.mjs";
import { serveFiles } from "../support/static.mjs";

const dist = join(root, "www", "dist");
const server = await startServer({ SALTMINE_STATIC_DIR: dist });
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await server.stop();
});

const ENTRANTS = ["simd128", "scalar", "javascript", "cap.js", "altcha-lib"];
/** The rows of ALTCHA version 2. */
const KEY_ENTRANTS = ["keys-saltmine", "keys-widget"];
const WIDE = { viewport: { width: 1280, height: 900 } };
const NARROW = { viewport: { width: 360, height: 720 }, hasTouch: true, isMobile: true };

/** The page before it is started. `over(state)` waits for the end of a run, `cells(name)` are a row's texts. */
async function visit(t, { base = server.baseUrl, query = "?rounds=1", options = WIDE } = {}) {
  const { page, context, complaints } = await openPage(browser, `${base}/bench.html${query}`, options);
  t.after(() => context.close());
  const part = (name) => page.getByTestId(name);
  const state = (names) =>
    page.locator(
      `[data-testid="bench-status"]:is(${names.map((name) => `[data-state="${name}"]`).join(",")})`,
    );
  const over = async (wanted) => {
    await state(["done", "stopped", "failed"]).waitFor({ timeout: 120_000 });
    assert.equal(await part("bench-status").getAttribute("data-state"), wanted);
  };
  const cells = (name) => part(`row-${name}`).locator("td").allTextContents();
  const running = () => state(["running"]).waitFor();
  return { page, complaints, part, over, running, cells };
}

/** The page under a content security policy. */
async function underPolicy(t, policy) {
  const site = await serveFiles({
    folders: { "/": dist },
    files: {},
    headers: { "content-security-policy": policy },
  });
  t.after(site.close);
  return visit(t, { base: site.origin });
}

describe("a run", () => {
  test("ends with figures in every row and a verdict; nothing is red in the console", async (t) => {
    const { page, complaints, part, over, cells } = await visit(t);
    assert.match(await part("page").textContent(), /developer tools/);
    await page.evaluate(() => {
      globalThis.progress = [];
      const bar = document.querySelector('[data-testid="bench-progress"]');
      new MutationObserver(() => globalThis.progress.push(bar.value)).observe(bar, { attributes: true });
    });
    await part("bench-start").click();
    await over("done");

    const rates = {};
    for (const name of ENTRANTS) {
      const [rate, ratio, usual] = await cells(name);
      rates[name] = Number.parseFloat(rate);
      assert.ok(rates[name] > 0, `${name}: ${rate}`);
      assert.match(ratio, /^[\d,.]+ ×$/, name);
      assert.match(usual, /^[\d,.]+ ms$/, name);
    }
    // By margins that no busy machine takes away.
    assert.ok(rates.simd128 > 10 * rates["altcha-lib"], JSON.stringify(rates));
    assert.ok(rates.javascript > 2 * rates["altcha-lib"], JSON.stringify(rates));
    assert.equal((await cells("altcha-lib"))[1], "1.0 ×");

    const keyRates = [];
    for (const name of KEY_ENTRANTS) {
      const [rate, ratio, usual] = await cells(name);
      keyRates.push(Number.parseFloat(rate.replaceAll(",", "")));
      assert.match(ratio, /^[\d,.]+ ×$/, name);
      assert.match(usual, /^[\d,.]+ ms$/, name);
    }
    // A key takes 10,000 hashes: no browser derives so many, or so few.
    for (const rate of keyRates) assert.ok(rate > 10 && rate < 100_000, `${keyRates}`);
    assert.equal((await cells("keys-widget"))[1], "1.0 ×");

    assert.ok(Number.parseFloat(await part("bench-factor").textContent()) > 10);
    assert.match(await part("bench-meaning").textContent(), /saltmine, SIMD/);
    assert.equal(await part("bench-chart").locator(".bar-value").count(), ENTRANTS.length);
    const progress = await page.evaluate(() => globalThis.progress);
    assert.ok(progress.length >= 2 * (ENTRANTS.length + KEY_ENTRANTS.length), `${progress}`);
    assert.deepEqual(
      progress,
      [...progress].sort((a, b) => a - b),
    );
    assert.equal(progress.at(-1), 1);
    await workersGone(page, 25_000);
    assert.deepEqual(complaints, []);
  });

  test("leaves the page free: no task is long", async (t) => {
    // A busy machine takes the processor away now and then.
    await oneOf(4, async () => {
      const { page, part, over } = await visit(t);
      await page.evaluate(() => {
        globalThis.tasks = [];
        const observer = new PerformanceObserver((list) => globalThis.tasks.push(...list.getEntries()));
        observer.observe({ type: "longtask" });
      });
      await part("bench-start").click();
      await over("done");
      const long = await page.evaluate(() => globalThis.tasks.map(({ duration }) => Math.round(duration)));
      // Searches take eight times as long, and there are ten: one task may be long because the machine is busy.
      assert.ok(long.length <= 1, `tasks of ${long} ms`);
    });
  });

  test("can be stopped and started again", async (t) => {
    const { page, part, over, running } = await visit(t, { query: "?rounds=50" });
    await part("bench-start").click();
    await running();
    assert.equal(await part("bench-start").textContent(), "Stop");
    // The first of the other solvers: its search receives no messages, so that its worker has to be terminated.
    await page.locator('[data-testid="row-cap.js"][data-now]').waitFor();
    await part("bench-start").click();
    await over("stopped");
    await workersGone(page, 25_000);
    assert.equal(await page.locator("[data-now]").count(), 0);

    await part("bench-rounds").selectOption("1");
    await part("bench-start").click();
    await over("done");
  });

  for (const name of KEY_ENTRANTS)
    test(`can be stopped in the turn of ${name}`, async (t) => {
      const { page, part, over } = await visit(t, { query: "?rounds=50" });
      await part("bench-start").click();
      await page.locator(`[data-testid="row-${name}"][data-now]`).waitFor();
      await part("bench-start").click();
      await over("stopped");
      await workersGone(page, 25_000);
      assert.equal(await page.locator("[data-now]").count(), 0);
    });

  test("compares with the versions that npm run bench measures", async (t) => {
    const { part } = await visit(t);
    const shown = async (name) =>
      (await part(`row-${name}`).locator(".entrant-note").textContent()).split(",")[0];
    assert.equal(await shown("altcha-lib"), rivalVersions["altcha-lib"]);
    assert.equal(await shown("cap.js"), rivalVersions["@cap.js/wasm"]);
    const { version } = JSON.parse(await readFile(join(root, "node_modules/altcha-3/package.json"), "utf8"));
    assert.equal(await shown("keys-widget"), version);
  });
});

describe("what cannot run is told in its row, and the others go on", () => {
  test("where WebAssembly is refused", async (t) => {
    const { part, over, cells } = await underPolicy(t, "script-src 'self'");
    await part("bench-start").click();
    await over("done");
    for (const name of ["simd128", "scalar", "cap.js", "keys-saltmine"]) {
      const texts = await cells(name);
      assert.equal(texts.length, 1, name);
      assert.match(texts[0], /^Not measured\. [A-Z].* here\..*WebAssembly/, name);
    }
    for (const name of ["javascript", "altcha-lib", "keys-widget"])
      assert.equal((await cells(name)).length, 3, name);
    assert.match(await part("bench-meaning").textContent(), /saltmine, JavaScript/);
  });

  test("where workers are refused", async (t) => {
    const { part, over, cells } = await underPolicy(t, "worker-src 'none'");
    await part("bench-start").click();
    await over("done");
    for (const name of [...ENTRANTS, ...KEY_ENTRANTS]) {
      const texts = await cells(name);
      assert.equal(texts.length, 1, name);
      assert.match(texts[0], /^Not measured\. No worker can be started here\./, name);
    }
    assert.ok(await part("bench-verdict").isHidden());
  });
});

describe("the page itself", () => {
  test("asks for no rounds that cannot be", async (t) => {
    for (const [query, rounds] of [
      ["", "5"],
      ["?rounds=3", "3"],
      ["?rounds=0", "5"],
      ["?rounds=1e9", "5"],
      ["?rounds=x", "5"],
    ]) {
      const { part } = await visit(t, { query });
      assert.equal(await part("bench-rounds").inputValue(), rounds, query);
    }
  });

  test("is linked with the demo, both ways", async (t) => {
    const { page } = await visit(t);
    await page.getByRole("link", { name: "Demo" }).click();
    await page.getByTestId("search-demo").waitFor();
    await page.getByRole("link", { name: "Benchmark" }).click();
    await page.getByTestId("bench-form").waitFor();
  });

  test("works without a mouse", async (t) => {
    const { page, part, running, over } = await visit(t);
    const focused = () => page.evaluate(() => document.activeElement?.dataset.testid);
    for (let i = 0; i < 20 && (await focused()) !== "bench-start"; i += 1) await page.keyboard.press("Tab");
    assert.equal(await focused(), "bench-start");
    await page.keyboard.press("Enter");
    await running();
    assert.equal(await focused(), "bench-start", "the focus stays");
    await page.keyboard.press("Enter");
    await over("stopped");
    assert.equal(await part("bench-start").textContent(), "Start");
  });

  test("360 px are enough, with figures and with sentences in their place", async (t) => {
    const widths = (page) =>
      page.evaluate(() => {
        const inside = (selector) => {
          const element = document.querySelector(selector);
          return element.getBoundingClientRect().right <= element.parentElement.getBoundingClientRect().right;
        };
        return {
          page: document.documentElement.scrollWidth,
          table: inside(".bench-table") && inside(".bench-keys"),
        };
      });
    const { page, part, over } = await visit(t, { options: NARROW });
    await part("bench-start").tap();
    await over("done");
    assert.deepEqual(await widths(page), { page: 360, table: true });

    const refused = await underPolicy(t, "worker-src 'none'");
    await refused.page.setViewportSize(NARROW.viewport);
    await refused.part("bench-start").click();
    await refused.over("done");
    assert.deepEqual(await widths(refused.page), { page: 360, table: true });
  });

  test("every control has a name that can be read out, and the table its heads", async (t) => {
    const { page } = await visit(t);
    const tree = await page.locator("body").ariaSnapshot();
    assert.doesNotMatch(tree, /^\s*- (button|combobox|link|progressbar|img|table)( \[.*\])?:?$/m, tree);
    assert.equal(await page.getByRole("columnheader").count(), 2 * 4);
    assert.equal(await page.getByRole("rowheader").count(), ENTRANTS.length + KEY_ENTRANTS.length);
  });
});
