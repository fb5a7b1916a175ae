/** What measurements print and where they write: tables, and the generated blocks of docs/benchmarks.md. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./paths.mjs";

const PAGE = join(root, "docs", "benchmarks.md");
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

/** Puts `text` between `<!-- name:begin -->` and `<!-- name:end -->` of docs/benchmarks.md. */
export async function writeBlock(name, text) {
  const { page, start, stop } = await findBlock(name);
  await writeFile(PAGE, `${page.slice(0, start)}\n${text}\n${page.slice(stop)}`);
}

/** Reads that block. */
export async function readBlock(name) {
  const { page, start, stop } = await findBlock(name);
  return page.slice(start, stop).trim();
}

async function findBlock(name) {
  const page = await readFile(PAGE, "utf8");
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [start, stop] = [page.indexOf(begin), page.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`docs/benchmarks.md has no ${begin} … ${end}`);
  return { page, start: start + begin.length, stop };
}
