/** docs/streaming-chat.md: its code is part of the examples, and its commands are those of examples/README.md. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/paths.mjs";

const read = (...path) => readFile(join(root, ...path), "utf8");
/** A code block in a document has no indentation of its own. */
const flat = (code) => code.trim().replace(/^ +/gm, "");

test("every block is part of an example", async () => {
  const text = await read("docs", "streaming-chat.md");
  const sources = {
    js: flat(await read("examples", "chat-javascript", "src", "chat.js")),
    sh: flat(await read("examples", "README.md")),
  };
  const blocks = [...text.matchAll(/^```([a-z]+)\n([\s\S]*?)^```$/gm)];
  assert.ok(blocks.length > 0);
  assert.equal(text.match(/^```/gm).length, 2 * blocks.length);
  for (const [, language, code] of blocks) assert.ok(sources[language]?.includes(flat(code)), code);
});
