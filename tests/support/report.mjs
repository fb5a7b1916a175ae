/** The output of measurements: tables, and the generated blocks of pages of docs. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./paths.mjs";

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

/** Puts `text` between `<!-- name:begin -->` and `<!-- name:end -->` of a page of docs. */
export async function writeBlock(name, text, file = "benchmarks.md") {
  const { page, start, stop } = await findBlock(name, file);
  await writeFile(join(root, "docs", file), `${page.slice(0, start)}\n${text}\n${page.slice(stop)}`);
}

/** Reads that block. */
export async function readBlock(name, file = "benchmarks.md") {
  const { page, start, stop } = await findBlock(name, file);
  return page.slice(start, stop).trim();
}

async function findBlock(name, file) {
  const page = await readFile(join(root, "docs", file), "utf8");
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [start, stop] = [page.indexOf(begin), page.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`docs/${file} has no ${begin} … ${end}`);
  return { page, start: start + begin.length, stop };
}
