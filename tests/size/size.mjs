/**
 * `npm run size`: what a page loads to reach a session token, once as most do, once where WebAssembly is refused, and
 * what each import costs in a bundle. The exit code is 1 when the package exceeds one of its budgets.
 * `--write` writes the tables into docs/benchmarks.md.
 */
import { parseArgs } from "node:util";
import { writeBlock } from "../support/report.mjs";
import { measureSizes } from "./measure.mjs";

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const { text, checks } = await measureSizes();
console.log(`${text}\n`);
if (values.write) await writeBlock("size", text);

for (const { what, bytes, most } of checks) {
  const within = bytes <= most;
  const figures = `${bytes.toLocaleString("en")} of ${most.toLocaleString("en")} bytes`;
  console.log(`${within ? "within" : "OVER"} budget: ${what}, ${figures}`);
  if (!within) process.exitCode = 1;
}
