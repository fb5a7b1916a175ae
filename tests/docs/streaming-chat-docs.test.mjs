/** docs/streaming-chat.md: its code is part of the examples, and its commands are those of examples/README.md. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/paths.mjs";

const read = (...path) => readFile(join(root, ...path), "utf8");
/** A code block in a document has no indentation of its own. */
const flat = (code) => code.trim().replace(/^ +/gm, "");

/** The source with the values that the two variables have by default. */
function withDefaults(source) {
  const defaults = /^const \{ VITE_API = (".+"), VITE_APP_ID = (".+") \} = import\.meta\.env;$/m.exec(source);
  return source
    .replace("baseUrl: VITE_API,", `baseUrl: ${defaults[1]},`)
    .replace("appId: VITE_APP_ID ", `appId: ${defaults[2]} `);
}

test("every block is part of an example", async () => {
  const text = await read("docs", "streaming-chat.md");
  const sources = {
    js: flat(withDefaults(await read("examples", "chat-javascript", "src", "chat.js"))),
    sh: flat(await read("examples", "README.md")),
  };
  const blocks = [...text.matchAll(/^```([a-z]+)\n([\s\S]*?)^```$/gm)];
  assert.ok(blocks.length > 0);
  assert.equal(text.match(/^```/gm).length, 2 * blocks.length);
  for (const [, language, code] of blocks) {
    // A block leaves out what is between its paragraphs in the source.
    for (const part of code.split("\n\n")) assert.ok(sources[language]?.includes(flat(part)), part);
  }
});
