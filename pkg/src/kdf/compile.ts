/** Compiles the wasm module of a key derivation. */
import { readModule } from "#kdf-load";
import { simd } from "wasm-feature-detect";
import type { ModuleName } from "./challenge.js";
import type { CompiledModule, KeyEngine } from "./messages.js";

/** Compiles the module of an algorithm: with SIMD where the runtime has it. */
export async function compile(
  module: ModuleName,
  wanted: KeyEngine | undefined,
  wasmUrl: string | undefined,
): Promise<CompiledModule> {
  const engine = wanted !== "scalar" && (await simd()) ? "simd128" : "scalar";
  const file = `kdf-${module}${engine === "scalar" ? "-scalar" : ""}` as const;
  return { engine, module: await readModule(file, wasmUrl ? new URL(`${file}.wasm`, wasmUrl) : undefined) };
}
