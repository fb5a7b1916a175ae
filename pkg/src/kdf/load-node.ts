/** Node: the modules of the key derivations, from the file system. */
import { readFile } from "node:fs/promises";
import type { ModuleFile } from "./messages.js";

/** Compiles a module; `url` is its address, where the caller knows it. */
export const readModule = async (file: ModuleFile, url?: string): Promise<WebAssembly.Module> =>
  WebAssembly.compile(await readFile(new URL(url ?? `./${file}.wasm`, import.meta.url)));
