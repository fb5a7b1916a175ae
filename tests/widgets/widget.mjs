/** The embedded chat of a published widget on a page of its own origin, and what a visitor does with it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { root } from "../support/paths.mjs";
import { serveFiles } from "../support/static.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const ANSWER_MS = 45_000;

/** Installs what the lock file of `tests/widgets/<name>` names, once for each lock file; the project's folder. */
async function install(name) {
  const folder = join(root, ".cache", "widgets", name);
  const lock = await readFile(join(here, name, "package-lock.json"), "utf8");
  const stamp = join(folder, "installed");
  if ((await readFile(stamp, "utf8").catch(() => "")) === lock) return folder;
  await mkdir(folder, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) await cp(join(here, name, file), join(folder, file));
  const options = ["--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline", "--loglevel=error"];
  await promisify(execFile)("npm", ["ci", ...options], { cwd: folder, shell: process.platform === "win32" });
  await writeFile(stamp, lock);
  return folder;
}

/** The script of `page.jsx`, bundled with the packages of the project `name`. */
export async function bundle(name) {
  const resolveDir = await install(name);
  const contents = await readFile(join(here, "page.jsx"), "utf8");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir, loader: "jsx" },
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  return outputFiles[0].text;
}

/** Serves a page with the widget on an origin of its own. `page.settings` is what the page's owner configured. */
export async function servePage(script) {
  const page = { settings: {} };
  const { origin, close } = await serveFiles({
    files: { "/page.js": script },
    answer: (path) =>
      path === "/" && {
        status: 200,
        type: "text/html; charset=utf-8",
        body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Widget</title><link rel="icon" href="data:,">
<div id="chat" style="height: 640px"></div>
<script>globalThis.settings = ${JSON.stringify(page.settings)}</script>
<script type="module" src="/page.js"></script>`,
      },
  });
  return Object.assign(page, { origin, close });
}

/**
 * Opens the page in a fresh profile and records its requests to the API and its errors: `log` has
 * `{ method, path, status, failure?, body? }` for each request, `errors` what nobody caught.
 */
export async function visit(t, browser, page, { baseUrl }) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const tab = await context.newPage();
  return watch(tab, page, baseUrl);
}

async function watch(tab, page, baseUrl) {
  const widget = { tab, log: [], errors: [], console: [] };
  const entry = (request) => {
    const { pathname, search, origin } = new URL(request.url());
    return origin === baseUrl && { method: request.method(), path: pathname + search };
  };
  tab.on("requestfinished", async (request) => {
    const about = entry(request);
    if (!about) return;
    const logged = { ...about, sent: request.postData() };
    widget.log.push(logged);
    const response = await request.response();
    logged.status = response.status();
    logged.headers = await request.allHeaders();
    if (logged.status >= 400) logged.body = await response.text().catch(() => undefined);
  });
  tab.on("requestfailed", (request) => {
    const about = entry(request);
    const failure = request.failure()?.errorText;
    // A request that the page itself gives up is no refusal.
    if (about && failure !== "net::ERR_ABORTED") widget.log.push({ ...about, failure });
  });
  tab.on("pageerror", (error) => widget.errors.push(String(error)));
  tab.on("console", (message) => message.type() === "error" && widget.console.push(message.text()));
  await tab.goto(page.origin);
  await input(widget).waitFor({ timeout: ANSWER_MS });
  return widget;
}

const input = ({ tab }) => tab.getByRole("textbox");

/** Types into the widget's own input and sends it; resolves when the answer stands in the widget. */
export async function say(widget, text) {
  await input(widget).fill(text);
  await input(widget).press("Enter");
}
