/** A Chromium extension, Manifest V3: a content script in the pages of a site, and a page of its own. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, cp, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchProfile, listen } from "../support/browser.mjs";
import { DEMO_APP_ID, makeApp, startServer } from "../support/server.mjs";
import { serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { assertToken, readOutcome } from "./outcome.mjs";

const { dist, remove } = await installTarball();
const key = "a management key for this test";
const server = await startServer({
  INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: key,
  SALTMINE_POW_VERSION: "1",
});
const profile = await mkdtemp(join(tmpdir(), "saltmine-profile-"));
const extension = await realpath(await mkdtemp(join(tmpdir(), "saltmine-extension-")));
await cp(fileURLToPath(new URL("extension", import.meta.url)), extension, { recursive: true });
await copyFile(join(dist, "inline.global.js"), join(extension, "inline.global.js"));
await cp(dist, join(extension, "saltmine"), { recursive: true });
// The page's origin is the extension's: only an app for every origin takes it.
const appId = await makeApp({ baseUrl: server.baseUrl, key });
const main = await readFile(new URL("app/main.js", import.meta.url), "utf8");
await writeFile(
  join(extension, "main.js"),
  main.replace('"saltmine"', '"./saltmine/index.js"').replace(DEMO_APP_ID, appId),
);
const context = await launchProfile(profile, [
  `--load-extension=${extension}`,
  `--disable-extensions-except=${extension}`,
]);
after(async () => {
  await context.close();
  await server.stop();
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

test("a page of the extension", async (t) => {
  const page = await context.newPage();
  t.after(() => page.close());
  const complaints = listen(page);
  // A host that the manifest does not name: Chromium sends no `Origin` with a GET to the others.
  const api = server.baseUrl.replace("127.0.0.1", "localhost");
  await page.goto(`${originOf(extension)}/page.html?api=${encodeURIComponent(api)}`);
  assertToken({ ...(await readOutcome(page)), complaints });
});

/** The origin of an extension without a key in its manifest: a hash of its folder's path, with letters for hex digits. */
function originOf(folder) {
  const digits = createHash("sha256").update(folder).digest("hex").slice(0, 32);
  const letters = Array.from(digits, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)));
  return `chrome-extension://${letters.join("")}`;
}
