/** A Chromium extension, Manifest V3: a content script in the pages of a site, and a page of its own. */
import assert from "node:assert/strict";
import { cp, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchProfile } from "../support/browser.mjs";
import { startServer } from "../support/server.mjs";
import { startService } from "../support/service.mjs";
import { serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { assertToken, readOutcome } from "./outcome.mjs";

const { dist, remove } = await installTarball();
const server = await startServer();
const service = await startService();
const profile = await mkdtemp(join(tmpdir(), "saltmine-profile-"));
const extension = await mkdtemp(join(tmpdir(), "saltmine-extension-"));
await cp(fileURLToPath(new URL("extension", import.meta.url)), extension, { recursive: true });
await copyFile(join(dist, "inline.global.js"), join(extension, "inline.global.js"));
await cp(dist, join(extension, "saltmine"), { recursive: true });
const context = await launchProfile(profile, [
  `--load-extension=${extension}`,
  `--disable-extensions-except=${extension}`,
]);
after(async () => {
  await context.close();
  await server.stop();
  await service.close();
  await remove();
  for (const folder of [profile, extension]) await rm(folder, { recursive: true, force: true });
});

for (const [what, policy, thread] of [
  ["a page without a policy", undefined, "worker"],
  ["a page that forbids other workers", "worker-src 'none'", "page"],
]) {
  test(`a content script in ${what}`, async (t) => {
    const site = await serveFiles({ headers: policy ? { "content-security-policy": policy } : {} });
    t.after(site.close);
    const page = await context.newPage();
    t.after(() => page.close());
    await page.goto(`${site.origin}/?api=${encodeURIComponent(server.baseUrl)}`);
    const handle = await page.waitForFunction(() => document.documentElement.dataset.outcome, undefined, {
      timeout: 30_000,
      polling: 20,
    });
    const outcome = JSON.parse(await handle.jsonValue());
    assertToken({ ...outcome, complaints: [] }, "simd128", thread);
    assert.deepEqual(
      site.sent.filter(({ path }) => /worker|wasm/.test(path)),
      [],
      "nothing of the page is run",
    );
  });
}
