/** docs/self-hosting-inkeep-widgets.md: every step is run, from the start of the server to the feedback in CSV. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { launchBrowser } from "../support/browser.mjs";
import { root, serverPath } from "../support/paths.mjs";
import { assertNothingFailed, bundle, ready, say, servePage, upvote, visit } from "./widget.mjs";

const guide = await readFile(join(root, "docs", "self-hosting-inkeep-widgets.md"), "utf8");
const blocks = (language) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map(([, code]) => code);
const [start, createApp, addKey, readFeedback] = blocks("sh");
const [page] = blocks("jsx");
const [signer] = blocks("js");
const [, withToken] = /`(baseSettings=\{\{ getAuthToken: [^`]+ \}\})`/.exec(guide);

const folder = await mkdtemp(join(tmpdir(), "saltmine-self-hosting-"));
const browser = await launchBrowser();
const ends = [() => browser.close(), () => rm(folder, { recursive: true, force: true })];
after(async () => {
  for (const end of ends) await end();
});

/** Runs a block of shell; resolves to what it prints. An HTTP error is a failure. */
async function shell(code, { baseUrl, key }, env = {}) {
  const command = code
    .replaceAll("http://127.0.0.1:8787", baseUrl)
    .replaceAll(/\bcurl\b/g, "curl --silent --fail-with-body");
  const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", command], {
    cwd: folder,
    env: { PATH: process.env.PATH, INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: key, ...env },
  });
  return stdout;
}

/** Runs the block that starts the server; resolves to its address and its management key. */
async function startAsWritten() {
  const code = start.replace(
    "saltmine-server",
    'echo "key $INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET"\nexec saltmine-server',
  );
  await symlink(serverPath(), join(folder, "saltmine-server"));
  const server = spawn("bash", ["-euo", "pipefail", "-c", code], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: `${folder}:${process.env.PATH}`, PORT: "0", SALTMINE_LOG: "error" },
  });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  ends.unshift(async () => {
    server.kill("SIGTERM");
    await ended;
  });
  let key;
  for await (const line of createInterface({ input: server.stdout })) {
    key ??= /^key (\w{64})$/.exec(line)?.[1];
    const [, baseUrl] = /listening on (http:\S+)/.exec(line) ?? [];
    if (baseUrl) return { baseUrl, key };
  }
  throw new Error("the server ended before it listened");
}

test("the guide works from its first to its last step", async (t) => {
  assert.equal(guide.match(/^```/gm).length, 2 * 6, "every block is run here");
  const server = await startAsWritten();
  const app = JSON.parse(await shell(createApp, server)).data.app.id;
  const written = page.replace("http://127.0.0.1:8787", server.baseUrl).replace("app_…", app);
  const open = async (t, name, source, files) => {
    const served = await servePage(await bundle(name, source), files);
    t.after(served.close);
    const widget = await visit(t, browser, served, server.baseUrl);
    await ready(widget, { isSignedIn: files !== undefined });
    return widget;
  };

  for (const name of ["0.15", "0.17"]) {
    await t.test(`${name}: the page chats`, async (t) => {
      const widget = await open(t, name, written);
      await say(widget, "Is anybody there?", 1);
      await upvote(widget);
      assertNothingFailed(widget);
    });
  }

  await t.test("a signed-in user chats", async (t) => {
    await shell(addKey, server, { APP_ID: app });
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    await writeFile(
      join(folder, "signer.mjs"),
      signer.replace('"private.pem"', `${JSON.stringify(join(folder, "private.pem"))}`),
    );
    const { signToken } = await import(pathToFileURL(join(folder, "signer.mjs")));
    const token = await signToken({ id: "user_1", name: "Ada", plan: "team" });
    const source = written.replace("baseSettings={{}}", withToken);
    assert.notEqual(source, written);
    const widget = await open(t, "0.17", source, { "/chat-token": token });
    await say(widget, "It is me", 1);
    assert.ok(!widget.log.some(({ path }) => path.startsWith("/run/auth/")));
    assertNothingFailed(widget);
  });

  await t.test("the operator reads the feedback", async () => {
    const negative = await shell(readFeedback, server);
    assert.equal(negative.trim().split("\r\n").length, 1, "names only");
    const positive = await shell(readFeedback.replace("negative", "positive"), server);
    assert.equal(positive.trim().split("\r\n").length, 3, positive);
  });
});
