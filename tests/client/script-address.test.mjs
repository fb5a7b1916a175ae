/** The classic script on a page whose elements have the name that the script's own address is read from. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventsOf, makeClient, call, openTab, PAGE_GLOBALS, startPages } from "../support/client-pages.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const pages = await startPages();
const cdn = await serveFiles({
  folders: { "/": pages.tarball.dist },
  files: {},
  headers: { "access-control-allow-origin": "*" },
});
const service = await startTimedService();
after(async () => {
  await pages.close();
  await cdn.close();
  await service.close();
});

for (const [what, elements] of [
  ["nothing", ""],
  ["an image", '<img alt="" name="currentScript" src="/other/x.png">'],
  ["a form", '<form name="currentScript"><input name="src" value="/other/x.js"></form>'],
  ["a frame", '<iframe title="x" name="currentScript" src="/other/x.html"></iframe>'],
  ["a frame of another origin", `<iframe title="x" name="currentScript" src="${cdn.origin}/other"></iframe>`],
  ["an embedded file", '<embed name="currentScript" src="/other/x.svg">'],
  ["two images", '<img alt="" name="currentScript" src="/other/x.png">'.repeat(2)],
])
  test(`${what} with the name currentScript: the files are those beside the script`, async (t) => {
    const site = await serveFiles({
      files: {
        "/": `${BLANK_PAGE}${elements}<script src="${cdn.origin}/saltmine.global.js"></script><script>${PAGE_GLOBALS}</script>`,
      },
    });
    const context = await pages.browser.newContext();
    t.after(async () => {
      await context.close();
      await site.close();
    });
    const page = await openTab(context, site.origin);
    await makeClient(page, { baseUrl: service.baseUrl });
    const { token, message } = await call(page, "session");
    assert.ok(token, message);
    const [{ backend }] = await eventsOf(page, "ready");
    assert.deepEqual(backend, { engine: "simd128", thread: "worker" });
    const asked = site.sent.map(({ path }) => path);
    assert.deepEqual(
      asked.filter((path) => /\.(js|wasm)$/.test(path)),
      [],
    );
  });
