/** Node: wasm from the file system, since `fetch` does not read files there. */
import { readFile } from "node:fs/promises";
import { simd } from "wasm-feature-detect";
import init from "../../wasm/client.js";
import type { Engine } from "../messages.js";

export { Search, session } from "../../wasm/client.js";

/** Compiles the variant that is wanted, or the best that this runtime can run. */
export async function loadEngine(wanted: Engine | undefined): Promise<Engine> {
  const variant: Engine = wanted ?? ((await simd()) ? "simd128" : "scalar");
  await init({ module_or_path: await readFile(new URL(`./${variant}.wasm`, import.meta.url)) });
  return variant;
}
