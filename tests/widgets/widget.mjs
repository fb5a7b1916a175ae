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
/** How long a step may take: the widget may have to solve two challenges on a busy machine. */
const LIMIT_MS = 45_000;

/** Installs what the lock file of `tests/widgets/<name>` names, once for each lock file; the project's folder. */
async function install(name) {
  const folder = join(root, ".cache", "widgets", name);
  const lock = await readFile(join(here, name, "package-lock.json"), "utf8");
  const stamp = join(folder, "installed");
  if ((await readFile(stamp, "utf8").catch(() => "")) === lock) return folder;
  await mkdir(folder, { recursive: true });
  for (const file of ["package.json", "package-lock.json"])
    await cp(join(here, name, file), join(folder, file));
  const options = [
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--prefer-offline",
    "--fetch-retries=6",
    "--loglevel=error",
  ];
  await promisify(execFile)("npm", ["ci", ...options], { cwd: folder, shell: process.platform === "win32" });
  await writeFile(stamp, lock);
  return folder;
}

/** A script, `page.jsx` by default, bundled with the packages of the project `name`. */
export async function bundle(name, source) {
  const resolveDir = await install(name);
  const contents = source ?? (await readFile(join(here, "page.jsx"), "utf8"));
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

/**
 * Serves a page with the widget on an origin of its own, with further `files` (URL path to text). `page.settings` is what
 * the page's owner configured.
 */
export async function servePage(script, files = {}) {
  const page = { settings: {} };
  const { origin, close } = await serveFiles({
    files: { "/page.js": script, ...files },
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
 * Opens the page in a profile of its own and records the widget's requests to the API and its errors: `log` has
 * `{ method, path, sent, status?, headers?, body?, failure? }` for each request, `errors` has exceptions that were not
 * caught, and `console` what the console showed as errors.
 */
export async function visit(t, browser, page, baseUrl) {
  const context = await browser.newContext();
  t.after(() => context.close());
  // Widgets ask for a font of Google's.
  await context.route(
    (url) => url.protocol.startsWith("http") && url.hostname !== "127.0.0.1",
    (route) => route.abort(),
  );
  const tab = await context.newPage();
  const widget = { tab, log: [], errors: [], console: [] };
  record(widget, baseUrl);
  await tab.goto(page.origin);
  await input(widget).waitFor({ timeout: LIMIT_MS });
  return widget;
}

function record(widget, baseUrl) {
  const { tab, log } = widget;
  const entries = new Map();
  tab.on("request", (request) => {
    const { pathname, search, origin } = new URL(request.url());
    if (origin !== baseUrl) return;
    const entry = { method: request.method(), path: pathname + search, sent: request.postData() };
    entries.set(request, entry);
    log.push(entry);
  });
  tab.on("response", async (response) => {
    const entry = entries.get(response.request());
    if (!entry) return;
    // A tab that is closed while the response arrives has no headers any more.
    entry.headers = await response
      .request()
      .allHeaders()
      .catch(() => undefined);
    if (response.status() >= 400) entry.body = await response.text().catch(() => undefined);
    entry.status = response.status();
  });
  tab.on("requestfailed", (request) => {
    const entry = entries.get(request);
    const failure = request.failure()?.errorText;
    // A request that the page itself cancels was not refused.
    if (entry && failure !== "net::ERR_ABORTED") entry.failure = failure;
  });
  tab.on("pageerror", (error) => widget.errors.push(String(error)));
  tab.on("console", (message) => message.type() === "error" && widget.console.push(message.text()));
}

const input = ({ tab }) => tab.getByRole("textbox");
const item = ({ tab }) => tab.locator("[data-part=ai-chat-history__item]");

/** The texts of the messages of a role that the widget shows, without its greeting. */
export const shown = async ({ tab }, role) => {
  const texts = await tab.locator(`[data-part=ai-chat-message-part][data-role=${role}]`).allTextContents();
  return texts.map((text) => text.trim()).filter((text) => !text.startsWith("Hi!"));
};

/** Waits until `isTrue()` is; fails with `what` and the widget's log. */
export async function until(widget, what, isTrue) {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) {
      const log = widget.log.map(({ method, path, status, body }) => ({ method, path, status, body }));
      assert.fail(`${what}: not within ${LIMIT_MS / 1000} s\n${JSON.stringify(log, null, 1)}`);
    }
    await widget.tab.waitForTimeout(50);
  }
}

/**
 * Waits until the widget has read the visitor's history and, unless the page's owner signs users in, has a response to
 * its session request. After a reload it reads the history with the stored token, and renews the token meanwhile:
 * 0.17.8 restarts its search when a conversation is opened, and after three restarts renews without a solution.
 */
export const ready = (widget, { isSignedIn = false } = {}) =>
  until(widget, "the history is read, and there is a session", () => {
    const has = (isIt) => widget.log.some(({ path, status }) => isIt(path) && status === 200);
    return (
      has((path) => path.startsWith("/run/v1/conversations?")) &&
      (isSignedIn || has((path) => path.endsWith("/anonymous-session")))
    );
  });

/** Types into the widget's own input, sends it, and waits until the widget shows the agent's answer, the `count`th. */
export async function say(widget, text, count) {
  await until(widget, "the input is free", () => input(widget).isEnabled());
  await input(widget).fill(text);
  await input(widget).press("Enter");
  await until(widget, `the answer to ${text}`, async () => {
    const answers = await shown(widget, "assistant");
    return answers.length === count && answers.at(-1) === text;
  });
}

/** Shows the history, if it is not shown yet, and waits until it has an entry for each title, the newest first. */
export async function openHistory(widget, titles) {
  const title = widget.tab.locator("[data-part=ai-chat-history__item-title]");
  const heading = widget.tab.locator("[data-part=ai-chat-history__title]");
  if (!(await heading.isVisible())) await widget.tab.getByRole("button", { name: "Chat history" }).click();
  await until(widget, `the history shows ${titles}`, async () => {
    const texts = await title.filter({ visible: true }).allTextContents();
    return texts.length === titles.length && titles.every((text, index) => texts[index] === text);
  });
}

/** Leaves the conversation, opens it again from the history, and waits until it shows so many answers. */
export async function reopenConversation(widget, count) {
  await widget.tab.locator("[data-part=ai-chat-history__new-conversation-button]").click();
  await until(widget, "the new conversation is empty", async () => {
    return (await shown(widget, "assistant")).length === 0;
  });
  await item(widget).first().click();
  await until(widget, "the messages are there", async () => {
    return (await shown(widget, "assistant")).length === count;
  });
}

/** Gives the thumbs up to the agent's last answer, and waits until the server has stored it. */
export async function upvote(widget) {
  await widget.tab.locator("[data-action=upvote]").last().click();
  await until(widget, "the feedback is sent", () =>
    widget.log.some(({ path, status }) => path === "/run/v1/feedback" && status),
  );
}

/** Fails on any refusal, blocked request or uncaught error so far, but for requests that `isExpected`. */
export function assertNothingFailed(widget, isExpected = () => false) {
  const failed = widget.log.filter(({ status, failure }) => failure || status >= 400);
  const refused = failed.filter((entry) => !isExpected(entry));
  assert.deepEqual(refused, []);
  assert.deepEqual(widget.errors, []);
  // Chromium reports a blocked preflight here.
  const blocked = widget.console.filter((text) => /CORS|blocked|preflight/i.test(text));
  assert.deepEqual(blocked, []);
}
