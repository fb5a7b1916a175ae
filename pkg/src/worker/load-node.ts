/** Node: wasm from the file system, since `fetch` does not read files there. */
import { readFile } from "node:fs/promises";
import { loaderOf } from "./load.js";

/** Compiles the best variant that this runtime can run. */
export const load = loaderOf(async (variant, url) =>
  WebAssembly.compile(await readFile(url ? new URL(url) : new URL(`./${variant}.wasm`, import.meta.url))),
);
