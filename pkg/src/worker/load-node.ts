/** Node: wasm from the file system, since `fetch` does not read files there. WebAssembly is never refused. */
import { readFile } from "node:fs/promises";
import { loaderOf } from "./load.js";

/** Loads the best variant that this runtime can run. */
export const load = loaderOf((variant, url) =>
  readFile(url ? new URL(url) : new URL(`./${variant}.wasm`, import.meta.url)),
);
