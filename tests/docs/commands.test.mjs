/** Every `sh` block of docs/production.md is run against the real server; the tables of the docs are the code's. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { root, serverPath } from "../support/paths.mjs";
import { startServer } from "../support/server.mjs";
import { codeBlocks } from "./code-blocks.mjs";
import { errorsPage } from "./errors-page.mjs";
import { httpPage } from "./http-page.mjs";

const MANAGEMENT_KEY = "a management key for this test only";

const server = await startServer({
  INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: MANAGEMENT_KEY,
  // Nothing listens there. One metric exists only with this variable.
  SALTMINE_REDIS_URL: "redis://127.0.0.1:1",
});
after(server.stop);

/** Runs a block of shell; resolves to what it prints. An HTTP error is a failure. */
async function runInShell(code) {
  const { stdout } = await promisify(execFile)(
    "bash",
    ["-euo", "pipefail", "-c", code.replaceAll(/\bcurl\b/g, "curl --silent --fail")],
    { env: { ...process.env, INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: MANAGEMENT_KEY } },
  );
  return stdout;
}

const apps = await readFile(join(root, "docs", "apps.md"), "utf8");
const production = await readFile(join(root, "docs", "production.md"), "utf8");

test("docs/errors.md lists every error code with its message (tests/docs/errors-page.mjs --write updates it)", async () => {
  const { actual, expected } = await errorsPage();
  assert.equal(actual, expected);
});

test("docs/http-reference.md lists every route (tests/docs/http-page.mjs --write updates it)", async () => {
  const description = await (await fetch(`${server.baseUrl}/openapi.json`)).json();
  const { actual, expected } = await httpPage(description);
  assert.equal(actual, expected);
});

test("docs/http-reference.md lists every reason", async () => {
  const read = (path) => readFile(join(root, path), "utf8");
  const [outward] = (await read("crates/server/src/error.rs")).split("fn outward").slice(1);
  const refusals = await read("crates/protocol/src/outcome.rs");
  const reasons = Array.from(
    outward.slice(0, outward.indexOf("\n    }\n")).matchAll(/"([a-z_]+)"/g),
    ([, reason]) => reason,
  );
  reasons.push(...Array.from(refusals.matchAll(/=> "(pow_\w+)"/g), ([, reason]) => reason));
  const page = await read("docs/http-reference.md");
  const listed = Array.from(page.matchAll(/^\| `([a-z_]+)` \| [45][\dx]+ \| /gm), ([, reason]) => reason);
  assert.ok(reasons.length > 40);
  assert.deepEqual(listed, [...new Set(reasons)].sort());
});

test("docs/apps.md creates an app", async () => {
  const [createApp, ...more] = codeBlocks(apps, "[a-z]+", server.baseUrl);
  assert.match(JSON.parse(await runInShell(createApp)).data.app.id, /^app_[a-z0-9]{16,}$/);
  assert.equal(more.length, 0);
});

describe("docs/production.md", () => {
  const [secret, makeApp, callWithKey, watch, ...more] = codeBlocks(production, "sh", server.baseUrl);

  test("makes a secret that is long enough", async () => {
    assert.match(await runInShell(secret), /^[0-9a-f]{64}\n$/);
  });

  test("makes an app", async () => {
    assert.match(JSON.parse(await runInShell(makeApp)).data.app.id, /^app_[a-z0-9]{16,}$/);
  });

  test("calls the run API with a new API key", async () => {
    const answer = JSON.parse(await runInShell(callWithKey));
    assert.equal(answer.choices[0].message.content, "Hello!");
  });

  test("watches, and every metric it names is there", async () => {
    const printed = await runInShell(watch);
    assert.equal(printed.match(/\{"status":"ok"\}/g).length, 2);
    for (const [, name] of production.matchAll(/`(saltmine_[a-z0-9_]+)/g)) {
      assert.ok(printed.includes(`# TYPE ${name.replace(/_(total|info)$/, "")} `), name);
    }
  });

  test("has no block that is not run here", () => {
    assert.equal(more.length, 0);
    // Four commands, a file of variables, the headers of a response, and the commands and the job for a production machine.
    assert.equal(production.match(/^```/gm).length, 22);
  });

  test("lists every variable, with its default", async () => {
    const { stdout } = await promisify(execFile)(serverPath(), ["--help"], { env: {} });
    const variables = [...stdout.matchAll(/\[env: ([A-Z_]+)(?:=[^\]]*)?\](?:\s+\[default: ([^\]"]+)\])?/g)];
    assert.ok(variables.length > 20, stdout);
    for (const [, name, value] of variables) {
      const line = production
        .split("\n")
        .find((text) => text.startsWith("| ") && text.includes(`\`${name}\``));
      assert.ok(line, name);
      if (value) assert.ok(line.includes(value), `${name}: ${value}`);
    }
    const names = variables.map(([, name]) => name);
    for (const block of codeBlocks(production, "ini", server.baseUrl))
      for (const [, name] of block.matchAll(/^(\w+)=/gm)) assert.ok(names.includes(name), name);
  });
});
