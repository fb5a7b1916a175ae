/** The token tool: what scripts may rely on. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { root } from "../support/paths.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { startService } from "../support/service.mjs";

const server = await startServer();
const firstVersion = await startServer({ SALTMINE_POW_VERSION: "1" });
after(async () => {
  await server.stop();
  await firstVersion.stop();
});

/** Runs the tool and waits until it exits; `whileRunning` gets the process. */
function runToken(args, { env = {}, whileRunning } = {}) {
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, "tools", "token.mjs"), ...args], {
    env: { ...process.env, ...env },
    timeout: 30_000,
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].on("data", (chunk) => (output[name] += chunk));
  whileRunning?.(child);
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, ...output, ms: performance.now() - began }));
  });
}

const lastLine = (text) => text.trim().split("\n").at(-1);

describe("token", () => {
  test("prints the session as JSON and nothing else, its progress on standard error, and ends", async () => {
    const { code, stdout, stderr, ms } = await runToken(["--base-url", server.baseUrl]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\{.*\}\n$/);
    const session = JSON.parse(stdout);
    assert.deepEqual(Object.keys(session), ["token", "expiresAt"]);
    const claims = JSON.parse(Buffer.from(session.token.split(".")[1], "base64url"));
    assert.equal(claims.app, DEMO_APP_ID);
    assert.equal(claims.exp * 1000, Date.parse(session.expiresAt));
    assert.match(stderr, /challenge/);
    assert.ok(ms < 10_000, `it took ${ms} ms`);
  });

  test("takes its server from HOST and PORT, as the server does", async () => {
    const { hostname, port } = new URL(server.baseUrl);
    const { code, stderr } = await runToken([], { env: { HOST: hostname, PORT: port } });
    assert.equal(code, 0, stderr);
  });

  test("--quiet says nothing beside", async () => {
    const { code, stderr } = await runToken(["--base-url", server.baseUrl, "--quiet"]);
    assert.equal(code, 0);
    assert.equal(stderr, "");
  });

  test("npm run --silent token prints the same, and nothing beside", async () => {
    const npm = spawn("npm", ["run", "--silent", "token", "--", "--quiet", "--base-url", server.baseUrl], {
      cwd: root,
      shell: process.platform === "win32",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) npm[name].on("data", (chunk) => (output[name] += chunk));
    const code = await new Promise((resolve) => npm.on("close", resolve));
    assert.equal(code, 0, output.stderr);
    assert.deepEqual(Object.keys(JSON.parse(output.stdout)), ["token", "expiresAt"]);
    // npm itself may warn of the user's own settings.
    assert.equal(output.stderr.replace(/^npm warn .*\n/gm, ""), "");
  });

  test("--help tells every option", async () => {
    const { code, stdout } = await runToken(["--help"]);
    assert.equal(code, 0);
    for (const option of ["--base-url", "--app-id", "--origin", "--help"])
      assert.ok(stdout.includes(option), option);
  });

  for (const [what, args, code, { baseUrl } = server] of [
    ["an app that nobody knows", ["--app-id", "app_nobody0000000000"], "app_not_found"],
    ["a ceiling below the challenge", ["--max-number", "10"], "maxnumber_too_large", firstVersion],
  ]) {
    test(`ends with 1 and the code: ${what}`, async () => {
      const outcome = await runToken(["--base-url", baseUrl, ...args]);
      assert.equal(outcome.code, 1);
      assert.equal(outcome.stdout, "");
      assert.match(lastLine(outcome.stderr), new RegExp(`^${code}: [A-Z].{15,}`));
    });
  }

  test("ends with 1 when there is no server", async () => {
    const { code, stdout, stderr } = await runToken(["--base-url", "http://127.0.0.1:9"]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(lastLine(stderr), /^network: [A-Z]/);
  });

  test("ends with 1 when the server does not answer in time", async (t) => {
    const silent = await startService({ challenge: async () => {} });
    t.after(silent.close);
    const { code, stderr } = await runToken(["--base-url", silent.baseUrl, "--timeout-ms", "300"]);
    assert.equal(code, 1);
    assert.match(lastLine(stderr), /^timeout: /);
  });

  for (const [what, args] of [
    ["an option that does not exist", ["--no-such-option"]],
    ["an option without its value", ["--app-id"]],
    ["an address that is none", ["--base-url", "nowhere"]],
    ["an address of another kind", ["--base-url", "ftp://127.0.0.1"]],
    ["an origin that is none", ["--origin", "x", "--base-url", "http://127.0.0.1:9"]],
    ["a number that is none", ["--max-number", "many", "--base-url", "http://127.0.0.1:9"]],
    ["a number that is empty", ["--max-number", "", "--base-url", "http://127.0.0.1:9"]],
    ["a stray word", ["app_demo000000000000"]],
  ]) {
    test(`ends with 2: ${what}`, async () => {
      const { code, stdout, stderr } = await runToken(args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.doesNotMatch(stderr, /^\s+at /m, "no stack trace");
      assert.match(lastLine(stderr), /^invalid_options: .{15,}/);
    });
  }

  test("an interrupt ends it at once", async (t) => {
    const silent = await startService({ challenge: async () => {} });
    t.after(silent.close);
    const { code, stdout, ms } = await runToken(["--base-url", silent.baseUrl], {
      whileRunning: (child) => child.stderr.once("data", () => setTimeout(() => child.kill("SIGINT"), 300)),
    });
    assert.equal(code, 130);
    assert.equal(stdout, "");
    assert.ok(ms < 5_000, `it took ${ms} ms`);
  });
});
