// Makes a module and its glue small: `node shrink.mjs folder output.wasm '["snip",…]' wasm-opt-flag…`
//
// Reads client_bg.wasm and client.js from the folder as wasm-bindgen left them, with names. Writes the module to
// the output and the glue to client.min.js in the folder.
//
// - Snip: the shipped module traps on a panic without a word (crates/client/src/module.rs), so everything that only
//   writes a panic's words is dead weight; but the compiler keeps it, since it is reached through tables. Each
//   function whose name matches becomes a trap. Nothing else in the module formats text.
// - Blank: with the words go the places they name. Texts that end in `.rs`, and the `Location`s that point to them,
//   become zeros, which wasm-opt leaves out.
// - Names: wasm-bindgen's imports and exports have long names with hashes, which do not compress. wasm-opt shortens
//   them and tells how; the glue follows.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import binaryen from "binaryen";

const WASM_OPT = fileURLToPath(import.meta.resolve("binaryen/bin/wasm-opt"));
const FEATURES = [
  "BulkMemory",
  "SignExt",
  "NontrappingFPToInt",
  "MutableGlobals",
  "Multivalue",
  "SIMD128",
  "ReferenceTypes",
];

function snip(bytes, patterns) {
  // wasm-opt strips the names; until then they keep the order in which functions compress best.
  binaryen.setDebugInfo(true);
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES.reduce((all, name) => all | binaryen.Features[name], 0));
  const unmatched = new Set(patterns);
  const doomed = [];
  for (let index = 0; index < module.getNumFunctions(); index += 1) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    const matching =
      info.base === "" ? patterns.filter((pattern) => new RegExp(pattern).test(info.name)) : [];
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

/** Overwrites source paths, and every (pointer, length, line, column) that starts with one. */
function blankLocations(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments = dataSegments(bytes);
  const paths = new Map();
  for (const { address, start, end } of segments) {
    const text = Buffer.from(bytes.subarray(start, end)).toString("latin1");
    for (const { 0: path, index } of text.matchAll(/[\w./-]+\.rs(?=\0)/g)) {
      paths.set(address + index, path.length);
      bytes.fill(0, start + index, start + index + path.length);
    }
  }
  if (paths.size === 0) throw new Error("no source path in the data: blanking no longer does its work");
  for (const { address, start, end } of segments) {
    for (let at = start + ((4 - (address % 4)) % 4); at + 16 <= end; at += 4) {
      if (paths.get(view.getUint32(at, true)) === view.getUint32(at + 4, true)) bytes.fill(0, at, at + 16);
    }
  }
  return bytes;
}

/** Where the active data segments lie, in the file and in memory (WebAssembly core specification, 5.5.14). */
function dataSegments(bytes) {
  let at = 8;
  const read = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  };
  const segments = [];
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = read() + at;
    if (section === 11) {
      for (let count = read(); count > 0; count -= 1) {
        const [flags, opcode, address, stop] = [read(), read(), read(), read()];
        if (flags !== 0 || opcode !== 0x41 || stop !== 0x0b)
          throw new Error("a data segment of another kind");
        const length = read();
        segments.push({ address, start: at, end: at + length });
        at += length;
      }
    }
    at = end;
  }
  return segments;
}

/** The glue with the names that wasm-opt gave. */
function rename(glue, { imports, exports }) {
  // Comments tell indices of functions, which differ from variant to variant where nothing else does.
  let text = glue.replaceAll(/^ *\/\/ Cast intrinsic for .*\n/gm, "");
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
const made = new Uint8Array(readFileSync(`${folder}/client_bg.wasm`));
writeFileSync(snipped, snip(blankLocations(made), JSON.parse(patterns)));
const names = execFileSync(
  process.execPath,
  [WASM_OPT, ...flags, "--minify-imports-and-exports-and-modules", snipped, "-o", output],
  { encoding: "utf8" },
);
writeFileSync(
  `${folder}/client.min.js`,
  rename(readFileSync(`${folder}/client.js`, "utf8"), JSON.parse(names)),
);
