/** The engines of a search: a wasm module with SIMD, one without, WebCrypto. Runs in a worker, or on the page. */
import { createGlue, type Glue } from "#kdf-glue";
import { describe } from "../common/describe.js";
import type { KeyParameters } from "./challenge.js";
import { compile } from "./compile.js";
import type { CompiledModule, Engine, KeyCommand } from "./messages.js";
import { hasWebCrypto, hexOf, webCryptoEngine } from "./webcrypto.js";

/** The error of {@link openEngine} where the browser has not enough memory. */
export class OutOfMemory extends Error {}

/** How many counters the engines with SIMD try at a time. WebCrypto, which has only SHA and PBKDF2, tries as many of these. */
export const groupSize = ({ module }: KeyParameters): number =>
  module === "sha" ? 4 : module === "scrypt" ? 2 : 1;

type Start = Omit<Extract<KeyCommand, { type: "start" }>, "type" | "compares">;

/** Opens the best engine, but no better one than requested. */
export async function openEngine({ parameters, engine, compiled, stalled, urls }: Start): Promise<Engine> {
  if (engine === "webcrypto") {
    if (!hasWebCrypto(parameters)) throw new Error(`WebCrypto has no ${parameters.algorithm} here`);
    return webCryptoEngine(parameters);
  }
  try {
    if (stalled) throw new Error(stalled);
    const loaded = compiled ?? (await compile(parameters.module, engine, urls));
    return await wasmEngine(parameters, loaded);
  } catch (error) {
    if (error instanceof OutOfMemory || !hasWebCrypto(parameters)) throw error;
    return { ...webCryptoEngine(parameters), reason: describe(error) };
  }
}

async function wasmEngine(parameters: KeyParameters, { engine, module }: CompiledModule): Promise<Engine> {
  const glue = createGlue();
  const { exports } = await instantiate(module, glue);
  glue.__wbg_set_wasm(exports);
  const { algorithm, nonce, salt, cost, memoryCost, parallelism, keyLength, keyPrefix, isDecimal } =
    parameters;
  let search: InstanceType<Glue["KeySearch"]>;
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
    width: engine === "scalar" ? 1 : groupSize(parameters),
    search(first, count) {
      const counter = search.search(first, count);
      return counter < 0 ? undefined : { counter, derivedKey: hexOf(search.key) };
    },
    close: () => search.free(),
  };
}

async function instantiate(module: WebAssembly.Module, glue: Glue): Promise<WebAssembly.Instance> {
  const imports = { g: glue.imports };
  try {
    return await WebAssembly.instantiate(module, imports);
  } catch (error) {
    if (error instanceof RangeError) throw new OutOfMemory(`Out of memory: ${error.message}`);
    throw error;
  }
}
