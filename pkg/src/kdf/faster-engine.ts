/**
 * Measures whether WebCrypto is faster than the module on this machine; the keys of the measurement count. Only where there is
 * a single worker, or no SIMD: in Chromium, the calls of all workers share a pool of threads. With two workers on a processor
 * with SHA instructions, WebCrypto derived about 1.3 times the PBKDF2 keys of the module with SIMD, but 3 times those of the one
 * without. All workers measure at the same time, and so with the threads shared.
 */
import type { KeyParameters } from "./challenge.js";
import type { Engine } from "./messages.js";
import { hasWebCrypto, webCryptoEngine } from "./webcrypto.js";

/** How long the module and WebCrypto are measured, in milliseconds. */
const MODULE_MS = 25;
const WEBCRYPTO_MS = 50;
/** The factor by which WebCrypto must be faster. */
const MARGIN = 1.1;

/** Returns an engine that begins with `wasm` and continues with the faster of both. */
export function fasterEngine(wasm: Engine, parameters: KeyParameters): Engine {
  if (wasm.engine === "webcrypto" || !hasWebCrypto(parameters)) return wasm;
  const webCrypto = webCryptoEngine(parameters);
  const tried = { wasm: 0, webCrypto: 0 };
  const ms = { wasm: 0, webCrypto: 0 };
  let chosen: Engine | undefined;
  const current = () => chosen ?? (ms.wasm < MODULE_MS ? wasm : webCrypto);
  return {
    get engine() {
      return current().engine;
    },
    width: wasm.width,
    async search(first, count) {
      const engine = current();
      const began = performance.now();
      const found = await engine.search(first, count);
      if (!chosen) {
        const name = engine === wasm ? "wasm" : "webCrypto";
        tried[name] += count;
        ms[name] += performance.now() - began;
        if (ms.webCrypto >= WEBCRYPTO_MS) {
          const speed = (name: "wasm" | "webCrypto") => tried[name] / ms[name];
          chosen = speed("webCrypto") > MARGIN * speed("wasm") ? webCrypto : wasm;
        }
      }
      return found;
    },
    close: () => wasm.close(),
  };
}
