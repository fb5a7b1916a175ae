/** What the commands of a bare machine rest on: CI installs nothing itself, and the toolchain is one version. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/paths.mjs";

const read = (name) => readFile(join(root, name), "utf8");

test(".ci/run has three commands, which install what they need", async () => {
  const lines = (await read(".ci/run")).split("\n").filter((line) => line && !line.startsWith("#"));
  assert.deepEqual(lines, [
    "set -euo pipefail",
    'cd "$(dirname "$0")/.."',
    "npm run lint",
    "npm test",
    "npm run test:matrix",
  ]);
});

test("rust-toolchain.toml names a version", async () => {
  assert.match(await read("rust-toolchain.toml"), /^channel = "\d+\.\d+\.\d+"$/m);
});
