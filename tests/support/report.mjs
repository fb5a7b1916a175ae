/** What measurements print and where they write: tables, and the generated blocks of the README. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./paths.mjs";

const README = join(root, "README.md");
const manifest = JSON.parse(await readFile(join(root, "tests", "package.json"), "utf8"));

/** The rivals' versions, which tests/package.json pins: `altcha`, `altcha-lib`, `@cap.js/wasm`. */
export const rivalVersions = Object.fromEntries(
  Object.entries(manifest.devDependencies).filter(([name]) => /altcha|cap\.js/.test(name)),
);

/** A Markdown table; columns after the first are aligned right. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join(
    "\n",
  );
}

/** Puts `text` between `<!-- name:begin -->` and `<!-- name:end -->` of the README. */
export async function writeBlock(name, text) {
  const { readme, start, stop } = await findBlock(name);
  await writeFile(README, `${readme.slice(0, start)}\n${text}\n${readme.slice(stop)}`);
}

/** What stands there. */
export async function readBlock(name) {
  const { readme, start, stop } = await findBlock(name);
  return readme.slice(start, stop).trim();
}

async function findBlock(name) {
  const readme = await readFile(README, "utf8");
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [start, stop] = [readme.indexOf(begin), readme.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`README.md has no ${begin} … ${end}`);
  return { readme, start: start + begin.length, stop };
}
