// Makes JavaScript of a module: `node translate.mjs module.wasm output.js`
//
// The output is an ES module whose default export makes an instance and returns its exports. The module imports nothing.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";

const WASM2JS = fileURLToPath(import.meta.resolve("binaryen/bin/wasm2js"));
/** The hash's rotations alone are more. */
const LEAST_ROTATIONS = 100;

const [input, output] = process.argv.slice(2);
// The limit is that of wasm-pack.toml.
const FLAGS = ["--enable-bulk-memory", "--one-caller-inline-max-function-size=300", "-O3"];
execFileSync(process.execPath, [WASM2JS, ...FLAGS, input, "-o", output], { stdio: ["ignore", 2, 2] });

let rotations = 0;
const script = readFileSync(output, "utf8")
  // A function stands in for rotations, and engines do not see through it: they are half of the work.
  .replace(/__wasm_rotl_i32\(([\w$]+)(?: \| 0)?, (\d+)(?: \| 0)?\)/g, (_, word, bits) => {
    rotations += 1;
    return `(${word} << ${bits} | ${word} >>> ${32 - bits})`;
  })
  // In place of the one instance that it makes: a function that makes them.
  .replace(/\nvar retasmFunc = [^]*$/, "\nexport default () => asmFunc({});\n")
  // What stands before the instance keeps the memory that it fills, which would be the last instance's: it belongs
  // within. A function around all of it would make the engine read all of it twice before it can begin.
  .replace(/^([^]*?\n)(function asmFunc\(imports\) \{\n)/, "$2$1");
if (
  rotations < LEAST_ROTATIONS ||
  !script.startsWith("function asmFunc(") ||
  !script.includes("export default") ||
  /^import /m.test(script)
)
  throw new Error("wasm2js writes its output in another way than translate.mjs expects");
writeFileSync(output, transformSync(script, { minify: true, legalComments: "none" }).code);
writeFileSync(
  output.replace(/js$/, "d.ts"),
  `import type { Exports } from "../src/worker/wasm-module.js";

/** Makes an instance of the module. */
export default function instantiate(): Exports;
`,
);
