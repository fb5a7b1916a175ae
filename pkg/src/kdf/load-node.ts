/** Node: the modules of the key derivations, from the file system. */
import { readFile } from "node:fs/promises";
import type { ModuleFile } from "./load-web.js";

/** Compiles a module. */
export const readModule = async (file: ModuleFile, url?: URL): Promise<WebAssembly.Module> =>
  WebAssembly.compile(await readFile(url ?? new URL(`./${file}.wasm`, import.meta.url)));
