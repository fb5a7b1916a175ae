/** Compiles the wasm module of a key derivation. */
import { readModule } from "#kdf-load";
import { simd } from "wasm-feature-detect";
import type { ModuleName } from "./challenge.js";
import type { CompiledModule, KeyEngine, ModuleUrls } from "./messages.js";

/** The modules that this thread has compiled or compiles, by file and address: the next challenge uses them again. */
const compiling = new Map<string, Promise<WebAssembly.Module>>();

/**
 * Compiles the module of an algorithm, once: with SIMD where the runtime has it. `ahead` are the bytes of that one, where they
 * were requested already.
 */
export async function compile(
  name: ModuleName,
  wanted: KeyEngine | undefined,
  urls: ModuleUrls,
  ahead?: Promise<ArrayBuffer | undefined>,
): Promise<CompiledModule> {
  const engine = wanted !== "scalar" && (await simd()) ? "simd128" : "scalar";
  const file = `kdf-${name}${engine === "scalar" ? "-scalar" : ""}` as const;
  const url = urls[file];
  const key = `${file} ${url}`;
  let module = compiling.get(key);
  if (!module) {
    const early = engine === "simd128" ? ahead : undefined;
    module = early
      ? early.then((bytes) => (bytes ? WebAssembly.compile(bytes) : readModule(file, url)))
      : readModule(file, url);
    compiling.set(key, module);
    // The next challenge tries again.
    module.catch(() => compiling.delete(key));
  }
  return { engine, module: await module };
}
