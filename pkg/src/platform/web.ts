/** Browsers, and every runtime with their Worker and fetch. The literal `new URL`s are for bundlers. */
import { loaderOf } from "./load.js";

/** Compiles the best variant that this runtime can run. */
export const load = loaderOf(async (variant) => {
  const url =
    variant === "simd128"
      ? new URL("./simd128.wasm", import.meta.url)
      : new URL("./scalar.wasm", import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  // Not streamed: that needs the media type application/wasm, which not every server sends, and saves nothing at 35 KB.
  return WebAssembly.compile(await response.arrayBuffer());
});
