/** Every TypeScript example of the README, of docs/solving.md and of the package's comments is run in Chromium, and prints what it says. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openPage } from "../support/browser.mjs";
import { root } from "../support/paths.mjs";
import { readBlock } from "../support/report.mjs";
import { codeBlocks, promisedLogs } from "./code-blocks.mjs";
import { documented } from "./documented.mjs";

const { server, site, browser } = await documented();

/** The examples in the comments of a source. */
const examples = (source) => codeBlocks(source.replace(/^ *\* ?/gm, ""), "ts", server.baseUrl);

/** Runs a module in a page; its last logs must be what its comments promise. Resolves to all that it logs. */
async function runExample(code) {
  const { page, context, complaints } = await openPage(browser, site.origin);
  const logged = [];
  page.on("console", (message) => logged.push(message.text()));
  try {
    await page.evaluate(async (source) => {
      await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    }, code);
    assert.deepEqual(complaints, []);
    const promised = promisedLogs(code);
    assert.deepEqual(promised.length === 0 ? [] : logged.slice(-promised.length), promised);
    return logged;
  } finally {
    await context.close();
  }
}

const readme = await readFile(join(root, "README.md"), "utf8");
const solving = await readFile(join(root, "docs", "solving.md"), "utf8");
const folder = join(root, "pkg", "src");
const sources = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts"));

describe("the README", () => {
  const [chat, ...more] = codeBlocks(readme, "ts", server.baseUrl);

  test("has an example that chats", async () => {
    assert.equal(promisedLogs(chat).length, 1, "it says what it prints");
    await runExample(chat);
  });

  test("has no code that is not run: one example, commands, and a diagram", () => {
    assert.equal(more.length, 0);
    const count = (language) => codeBlocks(readme, language, server.baseUrl).length;
    assert.equal(count("[a-z]+"), 1 + count("sh") + count("text"));
    assert.equal(count("text"), 1);
  });

  test("has the figures of the benchmarks", async () => {
    const benchmarks = await readBlock("bench");
    const rows = (text) => text.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
    const measured = rows(benchmarks).filter(([, name]) => /saltmine|altcha/.test(name));
    const isTime = (cell) => /^\d+$/.test(cell);
    const shown = rows(readme).filter(
      ([, , ...cells]) => cells.length === 4 && cells.slice(0, 3).every(isTime),
    );
    assert.equal(shown.length, 4);
    for (const [, , ...times] of shown) {
      const same = measured.find(([, , ...cells]) =>
        times.slice(0, 3).every((time, at) => time === cells[at]),
      );
      assert.ok(same, `${times} ms`);
    }
    const ratios = (peer) =>
      rows(benchmarks)
        .find(([, name]) => name === `SIMD to ${peer}`)
        .slice(2);
    const [altchaLib] = ratios("`altcha-lib`");
    const [chromium, firefox, webkit] = ratios("pow-buster");
    for (const sentence of [
      `${altchaLib} times as fast as \`altcha-lib\` 1.4.1 in Chromium`,
      `${chromium} times as fast as pow-buster in Chromium, ${firefox} times in Firefox and ${webkit} times in WebKitGTK`,
    ])
      assert.ok(readme.replace(/\s+/g, " ").includes(sentence), sentence);
  });

  test("names the cost for an attacker that the table of the threat model has", async () => {
    const table = await readFile(join(root, "docs", "threat-model.md"), "utf8");
    const coreHours = (row) =>
      new RegExp(`^\\| ${row} \\|[^|]*\\|[^|]*\\| ([\\d.]+) \\|`, "m").exec(table)[1];
    const [version1, version2] = ["version 1, .* \\(default\\)", "PBKDF2, .* \\(default\\)"].map(coreHours);
    const sentence = `native code ${version1} core hours at the default of version 1, and ${version2} at the default of version 2`;
    assert.ok(readme.replace(/\s+/g, " ").includes(sentence), sentence);
  });

  test("has at most 900 words", () => {
    assert.ok(readme.split(/\s+/).length <= 900);
  });
});

describe("docs/solving.md", () => {
  const [version1, version2, workers, ...more] = codeBlocks(solving, "[a-z]+", server.baseUrl);

  test("solves challenges of both versions", async () => {
    for (const example of [version1, version2]) {
      assert.equal(promisedLogs(example).length, 1, "it says what it prints");
      await runExample(example);
    }
  });

  test("registers the workers for the altcha widget", () => runExample(workers));

  test("has no other code", () => assert.equal(more.length, 0));
});

describe("the examples of the sources", async () => {
  const found = [];
  for (const name of sources) {
    const source = await readFile(join(folder, name), "utf8");
    found.push(...examples(source).map((example, index) => ({ name: `${name}, ${index + 1}`, example })));
  }
  for (const { name, example } of found) test(name, () => runExample(example));

  test("are there, and one says what it prints", () => {
    assert.ok(found.length >= 2, `${found.length} examples`);
    assert.ok(found.some(({ example }) => promisedLogs(example).length > 0));
  });
});
