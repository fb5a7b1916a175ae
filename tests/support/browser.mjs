/**
 * Chromium as every browser test and measurement starts it: headless, and without requests to networks that it need not
 * reach.
 *
 * A test file declares that it needs Chromium by importing this module, directly or through others. On a machine without
 * Chromium the test command leaves those files out and reports them (crates/xtask/src/js_tests.rs).
 */
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { chromiumPath } from "./browsers/find.mjs";

// Chromium for wasm-bindgen's tests is started by xtask, with the same flags.
export const FLAGS = JSON.parse(readFileSync(new URL("chromium-flags.json", import.meta.url), "utf8"));

const options = (flags) => ({
  executablePath: chromiumPath(),
  headless: true,
  args: [...FLAGS, ...flags],
});

/** A browser; `flags` come on top. Close it with `close()`. */
export const launchBrowser = (flags = []) => chromium.launch(options(flags));

/** A browser with the profile of a folder: its one context, whose end is the browser's. */
export const launchProfile = (folder, flags = []) => chromium.launchPersistentContext(folder, options(flags));

/** A page in a context of its own, at `url`, with the `complaints` of `listen`. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = listen(page);
  await page.goto(url);
  return { page, context, complaints };
}

/** Collects what a visitor's console would show in red: errors on the console and exceptions nobody caught. */
export function listen(page) {
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return complaints;
}

/** Waits until the page has no worker left; fails after `limitMs`. */
export async function workersGone(page, limitMs) {
  const deadline = Date.now() + limitMs;
  while (page.workers().length > 0) {
    if (Date.now() > deadline)
      throw new Error(`${page.workers().length} workers are left after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
