/** The modules as parts of one file: WebAssembly as a text, the module in JavaScript as a function. */
import { loaderOf } from "./load.js";
import type { Load } from "./request-handler.js";

type JavascriptEngine = Pick<typeof import("./javascript.js"), "load" | "searchWithWebCrypto">;

/** Returns the bytes of a text that is deflated bytes in base64. */
export function unpack(base64: string): Promise<ArrayBuffer> {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(unpacked).arrayBuffer();
}

/** Loads WebAssembly with SIMD, the only variant in the file, from deflated bytes in base64; else the module in JavaScript. */
export const loadInline = (base64: string, javascript: () => JavascriptEngine): Load =>
  loaderOf(
    async (variant) => {
      if (variant !== "simd128") throw new Error("it is not part of this file");
      return unpack(base64);
    },
    async () => javascript(),
  );
