/** The Rust web application of examples/rust-web: built as its README says, and opened in Chromium. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { root } from "../support/paths.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { serveFiles } from "../support/static.mjs";

const project = join(root, "examples/rust-web");
const target = join(root, "target/rust-web");
/** The tool at the version of the library: crates/xtask installs it. */
const bindgen = process.env.SALTMINE_WASM_BINDGEN ?? join(root, ".cache/tools/bin/wasm-bindgen");

const built = await mkdtemp(join(tmpdir(), "saltmine-rust-web-"));
const server = await startServer();
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await server.stop();
  await rm(built, { recursive: true });
});

const manifest = ["--manifest-path", join(project, "Cargo.toml"), "--locked"];
execFileSync(
  "cargo",
  [
    "build",
    "--quiet",
    "--release",
    "--target",
    "wasm32-unknown-unknown",
    "--target-dir",
    target,
    ...manifest,
  ],
  { stdio: "inherit" },
);
const module = join(target, "wasm32-unknown-unknown/release/rust_web.wasm");
execFileSync(bindgen, ["--target", "web", "--out-dir", built, module], { stdio: "inherit" });

async function open(t, appId) {
  const page = (await readFile(join(project, "index.html"), "utf8"))
    .replace("http://127.0.0.1:8787", server.baseUrl)
    .replace(DEMO_APP_ID, appId);
  const site = await serveFiles({ folders: { "/pkg/": built }, files: { "/": page } });
  t.after(site.close);
  const opened = await openPage(browser, site.origin);
  t.after(() => opened.context.close());
  return opened;
}

test("the page gets a session", async (t) => {
  const { page, complaints } = await open(t, DEMO_APP_ID);
  await page.waitForFunction(() => !document.querySelector("#status").textContent.startsWith("Getting"));
  const text = await page.locator("#status").textContent();
  assert.match(text, /^The session is valid until 20\d\d-.*Z\.$/);
  assert.deepEqual(complaints, []);
});

test("the page shows why it gets none", async (t) => {
  const { page } = await open(t, "app_0000000000000000");
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").textContent(), /^There is no session: app_not_found/);
});
