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
