/**
 * A page in the back/forward cache: the browser keeps it while the visitor is elsewhere, and shows it again. By
 * puppeteer-core, since Playwright disables that cache.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import puppeteer from "puppeteer-core";
import { FLAGS } from "../support/browser.mjs";
import { chromiumPath } from "../support/browsers/find.mjs";
import { call, eventsOf, loaded, makeClient, pageModule } from "../support/client-pages.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const { dist, entryPoints, remove } = await installTarball();
const site = await serveFiles({
  folders: { "/saltmine/": dist },
  files: {
    "/": `${BLANK_PAGE}<script type="module">${pageModule(entryPoints.web)}</script>`,
    "/elsewhere": BLANK_PAGE,
  },
});
const browser = await puppeteer.launch({ executablePath: chromiumPath(), headless: true, args: FLAGS });
after(async () => {
  await browser.close();
  await site.close();
  await remove();
});

test("the session is still there, and the client works on", async (t) => {
  const service = await startTimedService();
  const context = await browser.createBrowserContext();
  t.after(async () => {
    await context.close();
    await service.close();
  });
  const page = await context.newPage();
  const uncaught = [];
  page.on("pageerror", (error) => uncaught.push(String(error)));
  await page.goto(site.origin);
  await loaded(page);
  await page.evaluate(() => addEventListener("pageshow", ({ persisted }) => (globalThis.kept = persisted)));
  await makeClient(page, { baseUrl: service.baseUrl });
  const session = await call(page, "session");
  assert.match(session.token, /\./, session.message);

  await page.goto(`${site.origin}/elsewhere`);
  await page.goBack();
  assert.equal(await page.evaluate(() => globalThis.kept), true, "the page was kept");

  assert.deepEqual(await call(page, "session"), session);
  assert.deepEqual(service.asked(), ["challenge", "session"]);
  const renewed = await call(page, "refresh");
  assert.match(renewed.token, /\./, renewed.message);
  assert.notEqual(renewed.token, session.token);
  const [{ backend }] = await eventsOf(page, "ready");
  assert.deepEqual([backend.engine, backend.thread], ["simd128", "worker"]);
  assert.deepEqual(uncaught, []);
});
