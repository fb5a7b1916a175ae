/** The engines of a search: a wasm module with SIMD, one without, WebCrypto. Runs in a worker, or on the page. */
import * as glue from "#kdf-glue";
import { readModule } from "#kdf-load";
import { simd } from "wasm-feature-detect";
import { describe } from "../common/describe.js";
import type { KeyParameters, ModuleName } from "./challenge.js";
import type { CompiledModule, Found, KeyCommand, KeyEngine } from "./messages.js";
import { hasWebCrypto, webCryptoEngine } from "./webcrypto.js";

/** A search that is ready. */
export interface Engine {
  readonly engine: KeyEngine;
  /** How many counters are tried at a time. */
  readonly width: number;
  /** Why it is not the best engine. */
  readonly reason?: string;
  search(first: number, count: number): Found | undefined | Promise<Found | undefined>;
  /** Frees the memory. */
  close(): void;
}

/** The error of {@link openEngine} where the browser does not give the memory. */
export class OutOfMemory extends Error {}

type Start = Omit<Extract<KeyCommand, { type: "start" }>, "type" | "compares">;

/** Opens the best engine up to the one that is wanted. */
export async function openEngine({ parameters, engine, compiled, wasmUrl }: Start): Promise<Engine> {
  if (engine === "webcrypto") {
    if (!hasWebCrypto(parameters)) throw new Error(`WebCrypto has no ${parameters.algorithm} here`);
    return webCryptoEngine(parameters);
  }
  try {
    const loaded = compiled ?? (await compile(parameters.module, engine, wasmUrl));
    return await wasmEngine(parameters, loaded);
  } catch (error) {
    if (error instanceof OutOfMemory || !hasWebCrypto(parameters)) throw error;
    return { ...webCryptoEngine(parameters), reason: describe(error) };
  }
}

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

async function wasmEngine(parameters: KeyParameters, { engine, module }: CompiledModule): Promise<Engine> {
  // The glue serves one instance: a thread has one search at a time.
  const { exports } = await instantiate(module);
  glue.__wbg_set_wasm(exports);
  const { algorithm, nonce, salt, cost, memoryCost, parallelism, keyLength, keyPrefix, isDecimal } =
    parameters;
  let search: glue.KeySearch;
  try {
    search = new glue.KeySearch(
      algorithm,
      nonce,
      salt,
      cost,
      memoryCost,
      parallelism,
      keyLength,
      keyPrefix,
      isDecimal,
    );
  } catch (refusal) {
    if (refusal === glue.Refusal.Memory) throw new OutOfMemory("Out of memory for the key derivation");
    throw refusal instanceof Error
      ? refusal
      : new Error(`the module refused the parameters (${String(refusal)})`);
  }
  return {
    engine,
    width: engine === "scalar" ? 1 : parameters.module === "sha" ? 4 : parameters.module === "scrypt" ? 2 : 1,
    search(first, count) {
      const counter = search.search(first, count);
      return counter < 0 ? undefined : { counter, derivedKey: hexOf(search.key) };
    },
    close: () => search.free(),
  };
}

async function instantiate(module: WebAssembly.Module): Promise<WebAssembly.Instance> {
  const imports = { "./kdf_bg.js": glue as unknown as WebAssembly.ModuleImports };
  try {
    return await WebAssembly.instantiate(module, imports);
  } catch (error) {
    if (error instanceof RangeError) throw new OutOfMemory(`Out of memory: ${error.message}`);
    throw error;
  }
}

/** Bytes in hex digits. */
export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
