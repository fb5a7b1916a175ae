/** Node: wasm from the file system, since `fetch` does not read files there. */
import { readFile } from "node:fs/promises";
import { simd } from "wasm-feature-detect";
import init, { engine } from "../../wasm/client.js";
import type { Engine } from "../messages.js";

export { Search, session } from "../../wasm/client.js";

/** Compiles the variant that this runtime can run. */
export async function loadEngine(): Promise<Engine> {
  const url = new URL((await simd()) ? "./simd128.wasm" : "./scalar.wasm", import.meta.url);
  await init({ module_or_path: await readFile(url) });
  return engine() as Engine;
}
