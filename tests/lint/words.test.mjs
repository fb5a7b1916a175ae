/** The word list of `npm run lint`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkedFiles } from "../../tools/lint/files.mjs";
import { wrongWords } from "../../tools/lint/glossary.mjs";
import { prose } from "../../tools/lint/prose.mjs";

const words = (line) => wrongWords(line).map(({ word }) => word);

describe("the glossary", () => {
  for (const [line, ...wrong] of [
    ["A door of the package, and a rung of the ladder.", "door", "rung", "ladder"],
    ["The client is told of it, and the server tells why.", "is told", "tells"],
    ["The token still holds.", "holds"],
    ["The session is over.", "is over"],
    ["The server's answer is not JSON.", "answer"],
    ["It works with SHA-256 alone.", "alone"],
    ["A file of SQLite and a project of Vite.", "file of SQLite", "project of Vite"],
    ["Each request costs a solution.", "costs a solution"],
  ]) {
    test(`rejects: ${line}`, () => assert.deepEqual(words(line), wrong));
  }

  for (const line of [
    "The agent's answer to a question.",
    "The tab that holds the lock.",
    "A budget is set with room for a bug fix.",
    "The way in which it works.",
    "An instance renews its leases in Redis.",
    "The value is over the limit, or is over 300 kB.",
    "NaN stands for an absent header.",
    "The indoor payload holds a worthless doorway.",
  ]) {
    test(`allows: ${line}`, () => assert.deepEqual(words(line), []));
  }
});

describe("the prose", () => {
  const text = (file, source) => prose(file, source).map(({ number, text }) => [number, text.trim()]);

  test("of Markdown is without code, addresses and comments", () => {
    const source = "A `door` [rung](door.md)\n```sh\ndoor\n```\n<!-- door -->\nend";
    assert.deepEqual(text("a.md", source), [
      [1, "A `code` [rung]"],
      [5, ""],
      [6, "end"],
    ]);
  });

  test("of Rust is its comments", () => {
    const source =
      '//! Module.\n/// Private.\nstruct A; // After code.\nlet url = "https://door";\n    // Inside.\n/* Block. */\n';
    assert.deepEqual(text("a.rs", source), [
      [1, "Module."],
      [2, "Private."],
      [3, "After code."],
      [5, "Inside."],
      [6, "Block."],
    ]);
  });

  for (const extension of ["ts", "tsx", "mjs", "js", "css"])
    test(`of ${extension} is its comments without their examples`, () => {
      const source =
        "/** One. */\nexport const a = 1; // Two.\n/**\n * Three.\n * ```ts\n * door();\n * ```\n * Four.\n */\nb(); /* Five. */\n";
      assert.deepEqual(text(`a.${extension}`, source), [
        [1, "One."],
        [2, "Two."],
        [4, "Three."],
        [8, "Four."],
        [10, "Five."],
      ]);
    });

  for (const extension of ["toml", "yaml", "yml"])
    test(`of ${extension} is its comments`, () =>
      assert.deepEqual(text(`a.${extension}`, "# One.\ndoor: 1 # Two.\nurl: https://a/#door\n#Three.\n"), [
        [1, "One."],
        [2, "Two."],
        [4, "Three."],
      ]));
});

describe("the files", () => {
  const files = checkedFiles();

  for (const file of [
    "README.md",
    "docs/client.md",
    "crates/server/Cargo.toml",
    "crates/server/tests/http/main.rs",
    "pkg/build/minify.mjs",
    "pkg/src/session/client.ts",
    "tests/faults/stage.mjs",
    "tools/lint/words.mjs",
    "wasm-pack.toml",
    "www/src/main.ts",
  ]) {
    test(`include ${file}`, () => assert.ok(files.includes(file)));
  }

  test("do not include the word list and its tests, nor files that are not the project's own", () => {
    const excluded = files.filter((file) =>
      /(^|\/)(node_modules|dist|target)\/|glossary|tests\/lint/.test(file),
    );
    assert.deepEqual(excluded, []);
  });
});
