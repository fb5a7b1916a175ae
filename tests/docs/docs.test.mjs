/** What the documentation says is run: every TypeScript block in Chromium, every curl against the real server. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { openPage } from "../support/browser.mjs";
import { root, serverPath } from "../support/paths.mjs";
import { documented } from "./documented.mjs";
import { README, readmeWithErrors } from "./readme-errors.mjs";

const LOCAL_SERVER = "http://127.0.0.1:8787";
const MANAGEMENT_KEY = "a management key for this test alone";

const { server, site, browser } = await documented({
  INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: MANAGEMENT_KEY,
});

/** The code blocks of a text, in the languages wanted, with the server's address of this test. */
function codeBlocks(text, language) {
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"));
  return [...blocks].map(([, code]) => code.replaceAll(LOCAL_SERVER, server.baseUrl));
}

/** The examples in the comments of a source. */
const examples = (source) => codeBlocks(source.replace(/^ *\* ?/gm, ""), "ts");

/** Runs a module in a page; resolves to what it logs. */
async function runInPage(code) {
  const { page, context, complaints } = await openPage(browser, site.origin);
  const logged = [];
  page.on("console", (message) => logged.push(message.text()));
  try {
    await page.evaluate(async (source) => {
      await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    }, code);
    assert.deepEqual(complaints, []);
    return logged;
  } finally {
    await context.close();
  }
}

/** Runs a block of shell; resolves to what it prints. Every refusal is a failure. */
async function runInShell(code) {
  const { stdout } = await promisify(execFile)(
    "bash",
    ["-euo", "pipefail", "-c", code.replaceAll(/\bcurl\b/g, "curl --silent --fail")],
    { env: { ...process.env, INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: MANAGEMENT_KEY } },
  );
  return stdout;
}

const readme = await readFile(README, "utf8");
const production = await readFile(join(root, "docs", "production.md"), "utf8");
const sources = (await readdir(join(root, "pkg", "src"))).filter((name) => name.endsWith(".ts"));

describe("the README", () => {
  test("chats in ten lines", async () => {
    const [useIt] = codeBlocks(readme, "ts");
    const [answer] = await runInPage(useIt);
    assert.match(answer, /Hello!/);
  });

  test("solves a challenge", async () => {
    const [, solveIt] = codeBlocks(readme, "ts");
    assert.equal((await runInPage(solveIt)).at(-1), "7 simd128 worker");
  });

  test("has no block that is not run here", () => {
    assert.equal(codeBlocks(readme, "ts").length, 2);
    assert.equal(codeBlocks(readme, "[a-z]+").length, 2 + codeBlocks(readme, "sh").length);
  });

  test("makes an app", async () => {
    const [makeApp] = codeBlocks(readme, "sh").filter((code) => code.startsWith("curl"));
    const stdout = await runInShell(makeApp);
    assert.match(JSON.parse(stdout).data.app.id, /^app_[a-z0-9]{16,}$/);
  });

  test("lists every error code with its sentence (tests/docs/readme-errors.mjs --write mends it)", async () => {
    assert.equal(readme, await readmeWithErrors());
  });
});

describe("docs/production.md", () => {
  const [secret, makeApp, callWithKey, watch, ...more] = codeBlocks(production, "sh");

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
    for (const [, name] of production.matchAll(/`(saltmine_[a-z_]+)/g)) {
      assert.ok(printed.includes(`# TYPE ${name.replace(/_total$/, "")} `), name);
    }
  });

  test("has no block that is not run here", () => {
    assert.equal(more.length, 0);
    assert.equal(production.match(/^```/gm).length, 8);
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
  });
});

describe("the examples of the sources", () => {
  let count = 0;
  for (const name of sources) {
    test(name, async () => {
      const source = await readFile(join(root, "pkg", "src", name), "utf8");
      for (const example of examples(source)) {
        await runInPage(example);
        count += 1;
      }
    });
  }

  test("are there", () => {
    assert.ok(count >= 2, `${count} examples were run`);
  });
});
