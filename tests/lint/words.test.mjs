/** The word list of `npm run lint`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
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

  test("of Rust is the documentation of the module and of public items", () => {
    const source =
      "//! Module.\n/// Public.\n#[derive(Debug)]\npub struct A;\n/// Private.\npub(crate) struct B;\n// No.\n";
    assert.deepEqual(text("a.rs", source), [
      [1, "Module."],
      [2, "Public."],
    ]);
  });

  test("of TypeScript is its doc comments without their examples", () => {
    const source =
      "/** One. */\nexport const a = 1; // No.\n/**\n * Two.\n * ```ts\n * door();\n * ```\n * Three.\n */\n";
    assert.deepEqual(text("a.ts", source), [
      [1, "One."],
      [4, "Two."],
      [8, "Three."],
    ]);
  });
});
