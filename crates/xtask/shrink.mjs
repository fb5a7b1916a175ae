// Makes a module small: `node shrink.mjs input.wasm output.wasm '["snip",…]' '["blank",…]' wasm-opt-flag…`
//
// - Snip: the shipped module traps on a panic without a word (crates/client/src/module.rs), so everything that only
//   writes a panic's words is dead weight; but the compiler keeps it, since it is reached through tables. Each
//   function whose name matches becomes a trap. Nothing else in the module formats text.
// - Blank: with the words go the places they name. Texts that end in `.rs`, and the `Location`s that point to them,
//   become zeros, which wasm-opt leaves out.
// - So do the words themselves, which nothing points to any more: each pattern of `blank` names some.
// - wasm-opt does the rest.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
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

/** Another compiler may word its panics differently: the module is right all the same, and somewhat larger. */
function warnOf(what) {
  console.error(`shrink.mjs: ${what}: the module is larger than it could be`);
}

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
  if (unmatched.size > 0) warnOf(`no function matches ${[...unmatched].join(", ")}`);
  for (const { name, params, results } of doomed) {
    module.removeFunction(name);
    module.addFunction(name, params, results, [], module.unreachable());
  }
  // For linkers and debuggers: nobody here asks.
  for (const name of ["__data_end", "__heap_base"]) module.removeExport(name);
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
  if (paths.size === 0) warnOf("there is no source path in the data");
  for (const { address, start, end } of segments) {
    for (let at = start + ((4 - (address % 4)) % 4); at + 16 <= end; at += 4) {
      if (paths.get(view.getUint32(at, true)) === view.getUint32(at + 4, true)) bytes.fill(0, at, at + 16);
    }
  }
  return bytes;
}

/** Overwrites texts in the data; where they began. */
function blankTexts(bytes, patterns) {
  const blanked = [];
  for (const pattern of patterns) {
    const before = blanked.length;
    for (const { address, start, end } of dataSegments(bytes)) {
      const text = Buffer.from(bytes.subarray(start, end)).toString("latin1");
      for (const { 0: words, index } of text.matchAll(new RegExp(pattern, "gs"))) {
        blanked.push({ pattern, start: address + index });
        bytes.fill(0, start + index, start + index + words.length);
      }
    }
    if (blanked.length === before) warnOf(`no data matches ${pattern}`);
  }
  return blanked;
}

/** Throws where the finished code still names a text that was blanked. */
function checkUnused(bytes, blanked) {
  const module = binaryen.readBinary(bytes);
  const code = module.emitText().replace(/^ \(data .*$/gm, "");
  module.dispose();
  const used = new Set(
    Array.from(code.matchAll(/(?:i32\.const |offset=)(\d+)/g), ([, number]) => Number(number)),
  );
  for (const { pattern, start } of blanked)
    if (used.has(start)) throw new Error(`the code still uses what matches ${pattern}`);
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

const [input, output, functions, texts, ...flags] = process.argv.slice(2);
const snipped = `${output}.snipped`;
const bytes = snip(blankLocations(new Uint8Array(readFileSync(input))), JSON.parse(functions));
const blanked = blankTexts(bytes, JSON.parse(texts));
writeFileSync(snipped, bytes);
execFileSync(process.execPath, [WASM_OPT, ...flags, snipped, "-o", output], { stdio: ["ignore", 2, 2] });
rmSync(snipped);
checkUnused(new Uint8Array(readFileSync(output)), blanked);
