/** wasm-bindgen's script for the key derivations, as pkg/build.mjs makes a function of it. */
import type * as kdf from "../../wasm/kdf.js";

/** The script for one instance of a module. */
export type Glue = typeof kdf;

/** Returns the script for another instance. */
export function createGlue(): Glue;
