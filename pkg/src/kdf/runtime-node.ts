/** Node: the modules, the memory and the threads for the derivation of keys. */
import { readFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import type { ModuleFile } from "./messages.js";

/** Compiles a module; `url` is its address, where the caller knows it. */
export const readModule = async (file: ModuleFile, url?: string): Promise<WebAssembly.Module> =>
  WebAssembly.compile(await readFile(new URL(url ?? `./${file}.wasm`, import.meta.url)));

/** The engine without a worker. */
export const loadKeyPageEngine = () => import("#kdf-page-engine");

/** Returns the number of the machine's threads. */
export const threadCount = availableParallelism;

/** Returns the memory of the machine, in bytes. */
export const machineMemory = totalmem;
