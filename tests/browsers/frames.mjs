/** Frames and blocked storage: a widget where its visitor, or the page around it, trusts it little. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { launch } from "../support/browsers/index.mjs";
import { until } from "../support/client-pages.mjs";
import { BLANK_PAGE } from "../support/static.mjs";

/** The widget runs by itself and reports to its parent, since not every driver can evaluate code in a frame. */
const widget = (options) => `import "/page.js";
  const told = await make(${JSON.stringify(options)}).session().catch(({ code, message }) => ({ code, message }));
  const warnings = events.filter(({ type }) => type === "warning").map(({ code }) => code).sort();
  const ready = events.find(({ type }) => type === "ready");
  globalThis.told = { ...told, warnings, backend: ready?.backend, origin: globalThis.origin };
  parent.postMessage(globalThis.told, "*");`;

const HOST = `addEventListener("message", ({ data }) => { globalThis.told = data; });`;

export function testFrames(browser, { server, appId, startSite }) {
  const options = { baseUrl: server.baseUrl, appId };

  /** Returns what the widget reports, in a frame of another site or on a page of its own. */
  async function tell(t, where, { sandbox, alone = false } = {}) {
    const { origin } = await startSite(t, {
      files: {
        "/": `${BLANK_PAGE}<script type="module" src="/widget.js"></script>`,
        "/widget.js": widget(options),
      },
    });
    const attributes = sandbox === undefined ? "" : `sandbox="${sandbox}"`;
    const host = await startSite(t, {
      files: {
        "/": `${BLANK_PAGE}<script src="/host.js"></script><iframe title="widget" ${attributes} src="${origin}/"></iframe>`,
        "/host.js": HOST,
      },
    });
    // Another site, not only another origin.
    const page = await where.open(alone ? origin : host.origin.replace("127.0.0.1", "localhost"));
    await until("the widget", () => page.evaluate(() => "told" in globalThis), 20_000);
    const told = await page.evaluate(() => globalThis.told);
    await page.close();
    assert.match(String(told.userId), /^anon_/, `${told.code}: ${told.message}`);
    return told;
  }

  test("with sandbox: on the page, in memory, and both are told", async (t) => {
    const { origin, backend, warnings } = await tell(t, browser, { sandbox: "allow-scripts" });
    assert.equal(origin, "null");
    assert.equal(backend.thread, "page");
    assert.match(backend.reason, /^no worker: .+/);
    assert.deepEqual(warnings, ["page_thread", "storage_blocked"]);
  });

  test("with sandbox and allow-same-origin: in a worker", async (t) => {
    const { backend } = await tell(t, browser, { sandbox: "allow-scripts allow-same-origin" });
    assert.deepEqual(backend, { engine: "simd128", thread: "worker" });
  });

  test("of another site, third-party cookies off: in a worker", async (t) => {
    const strict = await launch(browser.name, { blocked: "third-party" });
    t.after(strict.close);
    const { backend, warnings } = await tell(t, strict);
    assert.deepEqual(backend, { engine: "simd128", thread: "worker" });
    // WebKit gives the frame a store of its own in each site, which it keeps.
    assert.deepEqual(warnings, browser.name === "webkit" ? [] : ["storage_blocked"]);
    assert.deepEqual((await tell(t, strict, { alone: true })).warnings, [], "the same page by itself");
  });

  test("all storage blocked: in memory, on pages and in frames", async (t) => {
    const strict = await launch(browser.name, { blocked: "storage" });
    t.after(strict.close);
    for (const alone of [true, false]) {
      const { backend, warnings } = await tell(t, strict, { alone });
      assert.deepEqual(backend, { engine: "simd128", thread: "worker" });
      assert.deepEqual(warnings, ["storage_blocked"]);
    }
  });
}
