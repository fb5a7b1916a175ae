/** The part of a module that searches, by itself. */
import { readFile } from "node:fs/promises";
import binaryen from "binaryen";

const FEATURES = [
  "BulkMemory",
  "SignExt",
  "NontrappingFPToInt",
  "MutableGlobals",
  "Multivalue",
  "SIMD128",
  "ReferenceTypes",
];
/** The search of a range, and all that it calls; `crates/client/src/edge.rs` exports the flow beside it. */
const SEARCH = "run";

/**
 * The bytes of the kernels in a module as it is shipped: of the module with all exports but the search taken away, and
 * what nothing needs then. Its data stays whole, so this is rather too much than too little.
 */
export async function kernelBytes(file) {
  const module = binaryen.readBinary(new Uint8Array(await readFile(file)));
  module.setFeatures(FEATURES.reduce((all, name) => all | binaryen.Features[name], 0));
  const names = Array.from({ length: module.getNumExports() }, (_, index) => {
    return binaryen.getExportInfo(module.getExportByIndex(index)).name;
  });
  if (!names.includes(SEARCH)) throw new Error(`${file} exports no ${SEARCH}: ${names.join(", ")}`);
  for (const name of names) if (name !== SEARCH) module.removeExport(name);
  const functions = module.getNumFunctions();
  module.runPasses(["remove-unused-module-elements"]);
  if (module.getNumFunctions() >= functions) throw new Error(`${file}: nothing but the search is in there`);
  return module.emitBinary().length;
}
