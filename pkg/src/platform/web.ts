/** Browsers, and every runtime with their Worker and fetch. The literal `new URL`s are for bundlers. */
import { simd } from "wasm-feature-detect";
import init from "../../wasm/client.js";
import type { Engine } from "../messages.js";

export { Search, session } from "../../wasm/client.js";

/** Compiles the variant that is wanted, or the best that this runtime can run. */
export async function loadEngine(wanted: Engine | undefined): Promise<Engine> {
  const variant: Engine = wanted ?? ((await simd()) ? "simd128" : "scalar");
  const url =
    variant === "simd128"
      ? new URL("./simd128.wasm", import.meta.url)
      : new URL("./scalar.wasm", import.meta.url);
  await init({ module_or_path: url });
  return variant;
}
