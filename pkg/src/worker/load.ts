/** Loads the best engine that a runtime can run. */
import { simd } from "wasm-feature-detect";
import { describe } from "../common/describe.js";
import { requireWasmAllowed } from "../common/wasm-files.js";
import { connect } from "./client-module.js";
import type { Load, Loaded, LoadFailure } from "./request-handler.js";
import { VERSION } from "../common/version.js";

type Variant = "simd128" | "scalar";
type JavascriptEngine = Pick<typeof import("./javascript.js"), "load" | "searchWithWebCrypto">;

/**
 * Loads the best variant; the next one if that fails, and the module in JavaScript where WebAssembly is refused. `read`
 * gets a variant's bytes from its address, `javascript` the engine in JavaScript; it is left out where there is none.
 */
export function loaderOf(
  read: (variant: Variant, url: string | undefined) => Promise<BufferSource>,
  javascript?: (url: string | undefined) => Promise<JavascriptEngine>,
): Load {
  return async ({ engine: wanted, module: handedOn, wasm, urls }) => {
    let unloaded = false;
    const compile = async (variant: Variant) => {
      let bytes;
      try {
        bytes = (variant === "simd128" && wasm) || (await read(variant, urls[variant]));
      } catch (error) {
        unloaded = true;
        throw error;
      }
      return WebAssembly.compile(bytes);
    };
    const reasons: string[] = [];
    const attempt = async (variant: Variant): Promise<Loaded | undefined> => {
      try {
        const made: { module?: WebAssembly.Module } = {};
        // Called where there is no instance yet.
        const instance = await connect(async (imports) => {
          made.module = (variant === (wanted ?? "simd128") && handedOn) || (await compile(variant));
          const { exports } = await WebAssembly.instantiate(made.module, imports);
          // A module that finds no memory later traps in mid-work: it needs more than it begins with.
          (exports.memory as WebAssembly.Memory).grow(1);
          return exports as Record<string, unknown>;
        });
        // A page without workers shares one instance between all its engines.
        instance.variant ??= variant;
        return { engine: instance.variant, instance, ...made };
      } catch (error) {
        reasons.push(`${variant}: ${describe(error)}`);
        return undefined;
      }
    };
    let loaded: Loaded | undefined;
    if (wanted !== "javascript") {
      try {
        requireWasmAllowed();
        if (wanted !== "scalar") {
          if (await simd()) loaded = await attempt("simd128");
          else reasons.push("this runtime has no WebAssembly SIMD");
        }
        loaded ??= await attempt("scalar");
      } catch (error) {
        reasons.push(describe(error));
      }
    }
    // Where the files are only missing, WebAssembly may run in another place.
    if (!loaded && !unloaded) {
      try {
        if (!javascript) throw new Error("there is no JavaScript engine for this runtime");
        const { load, searchWithWebCrypto } = await javascript(urls.javascript);
        loaded = { engine: "javascript", instance: await load(), elsewhere: searchWithWebCrypto };
      } catch (error) {
        reasons.push(`javascript: ${describe(error)}`);
      }
    }
    const reason = reasons.join("; ");
    if (!loaded) throw Object.assign(new Error(reason), { unloaded }) satisfies LoadFailure;
    return reason ? { ...loaded, reason } : loaded;
  };
}

/** The key under which `javascript.js` leaves its functions for the loader. */
export const JAVASCRIPT_KEY: unique symbol = Symbol.for(`saltmine ${VERSION} javascript`) as never;
