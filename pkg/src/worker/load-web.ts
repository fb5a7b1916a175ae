/** Browsers, and every runtime with their Worker and fetch. The literal `new URL`s are for bundlers. */
import { loaderOf } from "./load.js";

/** Compiles the best variant that this runtime can run. */
export const load = loaderOf(async (variant, url) => {
  const own =
    variant === "simd128"
      ? new URL("./simd128.wasm", import.meta.url)
      : new URL("./scalar.wasm", import.meta.url);
  const response = await fetch(url ?? own);
  if (!response.ok) throw new Error(`${url ?? own} answered ${response.status}`);
  // Not streamed: that needs the media type application/wasm, which not every server sends, and saves nothing at 30 KB.
  return WebAssembly.compile(await response.arrayBuffer());
});
