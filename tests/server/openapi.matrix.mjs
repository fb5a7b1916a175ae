/**
 * Schemathesis against the live server: it reads the description, sends what the description allows and what it does
 * not, and looks at every answer. On either database.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { root } from "../support/paths.mjs";
import { startServer } from "../support/server.mjs";

const MANAGEMENT_KEY = "a management key for this test alone";
const CONFIG = join(root, "tests", "server", "schemathesis.toml");

const folder = await mkdtemp(join(tmpdir(), "saltmine-schemathesis-"));
after(() => rm(folder, { recursive: true, force: true }));

async function makeApiKey(baseUrl) {
  const response = await fetch(`${baseUrl}/manage/tenants/default/projects/default/api-keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${MANAGEMENT_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "schemathesis", agentId: "echo" }),
  });
  assert.equal(response.status, 201);
  return (await response.json()).data.key;
}

/** Runs schemathesis with so many examples over the operations of `filter` until it exits; resolves with its exit code and output. */
function schemathesis(baseUrl, bearer, examples, filter) {
  const child = spawn(
    process.env.SALTMINE_SCHEMATHESIS,
    [
      "--config-file",
      CONFIG,
      "run",
      `${baseUrl}/openapi.json`,
      "--no-color",
      "--max-examples",
      examples,
    ].concat(["--header", `Authorization: Bearer ${bearer}`], filter),
    // It writes notes for its next run to its working directory.
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
  );
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (printed += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve({ code, printed }));
  });
}

// The rules of requests do not depend on the database: fewer examples show the inputs that its statements refuse.
for (const [name, databaseUrl, examples] of [
  ["SQLite", undefined, "60"],
  ["PostgreSQL", process.env.SALTMINE_TEST_POSTGRES_URL, "25"],
]) {
  const skip =
    (!process.env.SALTMINE_SCHEMATHESIS && "SALTMINE_SCHEMATHESIS is not set") ||
    (name === "PostgreSQL" && !databaseUrl && "SALTMINE_TEST_POSTGRES_URL is not set");
  describe(`schemathesis finds nothing: ${name}`, { skip }, () => {
    const started = async (t) => {
      const server = await startServer({
        INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: MANAGEMENT_KEY,
        SALTMINE_MAX_CONNECTIONS_PER_ADDRESS: "900",
        ...(databaseUrl && { DATABASE_URL: databaseUrl }),
      });
      t.after(server.stop);
      return server.baseUrl;
    };

    test("in the management API", async (t) => {
      const { code, printed } = await schemathesis(await started(t), MANAGEMENT_KEY, examples, [
        "--include-path-regex",
        "^/manage",
      ]);
      assert.equal(code, 0, printed);
      assert.match(printed, /Tested: 19/, printed);
    });

    test("in everything else, with an API key", async (t) => {
      const baseUrl = await started(t);
      const { code, printed } = await schemathesis(baseUrl, await makeApiKey(baseUrl), examples, [
        "--exclude-path-regex",
        "^/manage",
        // The app is looked up before the token: an unknown one is 404 without a token too.
        "--exclude-checks",
        "ignored_auth",
      ]);
      assert.equal(code, 0, printed);
      assert.match(printed, /Tested: 15/, printed);
    });
  });
}
