/** Browsers, and every runtime with their Worker and fetch. */
import { loaderOf } from "./load.js";

/** `import()` of an address that bundlers do not know; the build replaces the name. */
declare function importByAddress<T>(url: string): Promise<T>;

/** Loads the best engine that this runtime can run. */
export const load = loaderOf(
  async (variant, url) => {
    if (!url) throw new Error(`the address of ${variant}.wasm is not known: set assetsUrl`);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    // Not streamed: that needs the media type application/wasm, which not every server sends, and saves nothing at 30 KB.
    return response.arrayBuffer();
  },
  async (url) => {
    if (!url) throw new Error("the address of javascript.js is not known: set assetsUrl");
    // By its address: a bundler's worker is often a classic script, which cannot be split.
    return importByAddress(url);
  },
);
