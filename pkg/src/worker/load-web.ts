/** Browsers, and every runtime with their Worker and fetch. */
import { loaderOf } from "./load.js";

/** Compiles the best variant that this runtime can run. */
export const load = loaderOf(async (variant, url) => {
  if (!url) throw new Error(`the address of ${variant}.wasm is not known: set assetsUrl`);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  // Not streamed: that needs the media type application/wasm, which not every server sends, and saves nothing at 30 KB.
  return WebAssembly.compile(await response.arrayBuffer());
});
