/** Derives keys with WebCrypto: where WebAssembly is refused, and where it is the faster on this machine. */
import type { KeyParameters } from "./challenge.js";
import type { Engine, Found } from "./messages.js";

/** Derivations at the same time: some browsers compute them on several threads. */
const IN_FLIGHT = 4;

/** Whether this runtime's WebCrypto has the algorithm. */
export const hasWebCrypto = ({ module }: KeyParameters): boolean =>
  module === "sha" && globalThis.crypto?.subtle !== undefined;

/** A search with WebCrypto. */
export function webCryptoEngine(parameters: KeyParameters): Engine {
  const { keyPrefix } = parameters;
  return {
    engine: "webcrypto",
    width: IN_FLIGHT,
    async search(first, count) {
      for (let next = first; next < first + count; next += IN_FLIGHT) {
        const counters = Array.from(
          { length: Math.min(IN_FLIGHT, first + count - next) },
          (_, at) => next + at,
        );
        const keys = await Promise.all(counters.map((counter) => derive(parameters, counter)));
        const at = keys.findIndex((key) => key.startsWith(keyPrefix));
        if (at >= 0) return { counter: next + at, derivedKey: keys[at] as string } satisfies Found;
      }
      return undefined;
    },
    close() {},
  };
}

async function derive(parameters: KeyParameters, counter: number): Promise<string> {
  const { algorithm, salt, cost, keyLength } = parameters;
  const { subtle } = crypto;
  const password = passwordOf(parameters, counter);
  const hash = algorithm.slice(-7);
  if (algorithm.startsWith("PBKDF2")) {
    const key = await subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const options = { name: "PBKDF2", hash, salt: salt as BufferSource, iterations: cost };
    return hexOf(new Uint8Array(await subtle.deriveBits(options, key, keyLength * 8)));
  }
  const message = new Uint8Array(salt.length + password.length);
  message.set(salt);
  message.set(password, salt.length);
  let digest = await subtle.digest(hash, message);
  for (let round = 1; round < cost; round += 1) digest = await subtle.digest(hash, digest);
  return hexOf(new Uint8Array(digest).subarray(0, keyLength));
}

function passwordOf({ nonce, isDecimal }: KeyParameters, counter: number): Uint8Array<ArrayBuffer> {
  const digits = isDecimal ? new TextEncoder().encode(String(counter)) : new Uint8Array(4);
  if (!isDecimal) new DataView(digits.buffer).setUint32(0, counter);
  const password = new Uint8Array(nonce.length + digits.length);
  password.set(nonce);
  password.set(digits, nonce.length);
  return password;
}

/** Returns bytes as hex digits. */
export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** How long the module and WebCrypto are measured, in milliseconds. */
const MODULE_MS = 25;
const WEBCRYPTO_MS = 50;
/** The factor by which WebCrypto must be faster. */
const MARGIN = 1.1;

/**
 * Returns an engine that begins with `wasm` and continues with WebCrypto if that is faster on this machine; the keys of the
 * measurement count. Only where there is a single worker, or no SIMD: in Chromium, the calls of all workers share a pool of
 * threads. With two workers on a processor with SHA instructions, the module with SIMD derived about 1.3 times the PBKDF2 keys of
 * WebCrypto, the one without SIMD about 0.6 of them. All workers measure at the same time, and so with the threads shared.
 */
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
