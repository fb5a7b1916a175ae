/** Which WebAssembly module a runtime can run. */
import { simd } from "wasm-feature-detect";
import { describe } from "../common/describe.js";
import type { Load, Loaded, LoadFailure } from "./request-handler.js";
import type { Engine } from "../solver/messages.js";
import type { Exports } from "./wasm-module.js";

type Variant = Extract<Engine, "simd128" | "scalar">;

/** The smallest module (magic number and version): does this page allow WebAssembly at all? */
const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** Loads the best variant; the next one if that fails. `read` knows where a variant lies unless it is told. */
export function loaderOf(
  read: (variant: Variant, url: string | undefined) => Promise<WebAssembly.Module>,
): Load {
  return async ({ engine: wanted, module: handedOn, wasmUrls }) => {
    let unloaded = false;
    const compile = async (variant: Variant) => {
      try {
        return await read(variant, wasmUrls[variant]);
      } catch (error) {
        unloaded = true;
        throw error;
      }
    };
    new WebAssembly.Module(EMPTY);
    const reasons: string[] = [];
    if (wanted !== "scalar") {
      if (await simd()) {
        try {
          return await instantiate("simd128", handedOn ?? (await compile("simd128")));
        } catch (error) {
          reasons.push(`simd128: ${describe(error)}`);
        }
      } else reasons.push("this runtime has no WebAssembly SIMD");
    }
    try {
      const scalar = await instantiate(
        "scalar",
        (wanted === "scalar" && handedOn) || (await compile("scalar")),
      );
      return reasons[0] ? { ...scalar, reason: reasons[0] } : scalar;
    } catch (error) {
      const reason = [...reasons, `scalar: ${describe(error)}`].join("; ");
      throw Object.assign(new Error(reason), { unloaded }) satisfies LoadFailure;
    }
  };
}

async function instantiate(engine: Variant, module: WebAssembly.Module): Promise<Loaded> {
  const { exports } = (await WebAssembly.instantiate(module)) as unknown as { exports: Exports };
  // Where there is no memory it traps: better here, where there is an engine below.
  exports.reserve(1);
  return { engine, module, exports };
}
