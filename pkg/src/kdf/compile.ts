/** Compiles the wasm module of a key derivation. */
import { readModule } from "#kdf-load";
import { simd } from "wasm-feature-detect";
import type { ModuleName } from "./challenge.js";
import type { CompiledModule, KeyEngine, ModuleAhead, ModuleUrls } from "./messages.js";

/** The modules that this thread has compiled or compiles, by file and address: the next challenge uses them again. */
const compiling = new Map<string, Promise<WebAssembly.Module>>();

/** Compiles the module of an algorithm, once: with SIMD where the runtime has it. */
export async function compile(
  name: ModuleName,
  wanted: KeyEngine | undefined,
  urls: ModuleUrls,
  ahead?: ModuleAhead,
): Promise<CompiledModule> {
  const engine = wanted !== "scalar" && (await simd()) ? "simd128" : "scalar";
  const file = `kdf-${name}${engine === "scalar" ? "-scalar" : ""}` as const;
  const url = urls[file];
  const key = `${file} ${url}`;
  let module = compiling.get(key);
  if (!module) {
    const read = () => readModule(file, url);
    const isAhead = engine === "simd128" && ahead?.module === name;
    // Bytes that are no module after all are requested once more.
    module = isAhead
      ? ahead.bytes.then((bytes) => (bytes ? WebAssembly.compile(bytes).catch(read) : read()))
      : read();
    compiling.set(key, module);
    // The next challenge tries again.
    module.catch(() => compiling.delete(key));
  }
  return { engine, module: await module };
}
