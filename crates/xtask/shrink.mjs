// Makes a module and its glue small: `node shrink.mjs folder output.wasm '["snip",…]' wasm-opt-flag…`
//
// Reads client_bg.wasm and client.js from the folder as wasm-bindgen left them, with names. Writes the module to
// the output and the glue to client.min.js in the folder.
//
// - Snip: the shipped module traps on a panic without a word (crates/client/src/module.rs), so everything that only
//   writes a panic's words is dead weight; but the compiler keeps it, since it is reached through tables. Each
//   function whose name matches becomes a trap. Nothing else in the module formats text.
// - Names: wasm-bindgen's imports and exports have long names with hashes, which do not compress. wasm-opt shortens
//   them and tells how; the glue follows.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import binaryen from "binaryen";

const WASM_OPT = fileURLToPath(import.meta.resolve("binaryen/bin/wasm-opt"));
const FEATURES = ["BulkMemory", "SignExt", "NontrappingFPToInt", "MutableGlobals", "Multivalue", "SIMD128", "ReferenceTypes"];

function snip(bytes, patterns) {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES.reduce((all, name) => all | binaryen.Features[name], 0));
  const unmatched = new Set(patterns);
  const doomed = [];
  for (let index = 0; index < module.getNumFunctions(); index += 1) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    const matching = info.base === "" ? patterns.filter((pattern) => new RegExp(pattern).test(info.name)) : [];
    for (const pattern of matching) unmatched.delete(pattern);
    if (matching.length > 0) doomed.push(info);
  }
  // A pattern that matches nothing no longer does its work, and nobody would notice.
  if (unmatched.size > 0) throw new Error(`no function matches ${[...unmatched].join(", ")}`);
  for (const { name, params, results } of doomed) {
    module.removeFunction(name);
    module.addFunction(name, params, results, [], module.unreachable());
  }
  return module.emitBinary();
}

/** The glue with the names that wasm-opt gave. */
function rename(glue, { imports, exports }) {
  let text = glue;
  const replaceAll = (from, to) => {
    const renamed = text.replaceAll(from, to);
    if (renamed === text) throw new Error(`the glue has no ${from}`);
    text = renamed;
  };
  for (const module of new Set(imports.map(([from]) => from))) replaceAll(`"${module}": `, '"a": ');
  for (const [, from, to] of imports) replaceAll(new RegExp(`^( +)${from}: `, "gm"), `$1${to}: `);
  for (const [from, to] of exports) {
    // Some exports are for other hosts, or for wasm-bindgen itself.
    if (text.includes(`wasm.${from}`)) replaceAll(new RegExp(`\\bwasm\\.${from}\\b`, "g"), `wasm.${to}`);
  }
  return text;
}

const [folder, output, patterns, ...flags] = process.argv.slice(2);
const snipped = `${folder}/snipped.wasm`;
writeFileSync(snipped, snip(readFileSync(`${folder}/client_bg.wasm`), JSON.parse(patterns)));
const names = execFileSync(
  process.execPath,
  [WASM_OPT, ...flags, "--minify-imports-and-exports-and-modules", snipped, "-o", output],
  { encoding: "utf8" },
);
writeFileSync(`${folder}/client.min.js`, rename(readFileSync(`${folder}/client.js`, "utf8"), JSON.parse(names)));
