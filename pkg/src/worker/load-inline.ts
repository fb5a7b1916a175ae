/** The modules as parts of one file: WebAssembly as a text, the module in JavaScript as a function. */
import { loaderOf } from "./load.js";
import type { Load } from "./request-handler.js";
import type { Exports } from "./wasm-module.js";

/** Loads WebAssembly with SIMD, the only variant in the file, from deflated bytes in base64. */
export const loadDeflated = (base64: string): Load =>
  loaderOf(async (variant, url) => {
    if (variant !== "simd128" && !url) throw new Error("it is not part of this file");
    const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return WebAssembly.compile(await new Response(unpacked).arrayBuffer());
  });

/** Loads the module in JavaScript: a function that makes instances. */
export const loadJavascript =
  (instantiate: () => Exports): Load =>
  async () => ({ engine: "javascript", exports: instantiate() });
