/** axe finds no violation on any page of the documentation, wide and narrow, in both themes. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { root } from "../support/paths.mjs";
import { serveFiles } from "../support/static.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const site = await serveFiles({ folders: { "/": join(root, "www", "dist") }, files: {} });
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await site.close();
});

const WIDE = { viewport: { width: 1280, height: 900 } };
const NARROW = { viewport: { width: 360, height: 720 }, isMobile: true, hasTouch: true };
const SCREENS = {
  "1280 pixels wide, light": { ...WIDE, colorScheme: "light" },
  "1280 pixels wide, dark": { ...WIDE, colorScheme: "dark" },
  "360 pixels wide, light": { ...NARROW, colorScheme: "light" },
  "360 pixels wide, dark": { ...NARROW, colorScheme: "dark" },
};

for (const [name, options] of Object.entries(SCREENS)) {
  test(name, async (t) => {
    const { page, context } = await openPage(browser, `${site.origin}/docs/index.html`, options);
    t.after(() => context.close());
    const links = await page.locator("#menu a").evaluateAll((all) => all.map(({ href }) => href));
    const pages = links.filter((href) => /\/docs\/[\w/-]+\.html$/.test(href));
    assert.ok(pages.length > 12, `${pages.length} pages`);
    for (const url of pages) {
      await page.goto(url);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      assert.deepEqual(found, [], url);
    }
  });
}
