/** The search with the hash functions that the page's engine lacks: by WebCrypto, one candidate at a time. */
import type { Failure } from "../common/errors.js";
import type { Host, SearchRest } from "./wasm.js";

/** Candidates between two pauses: each is an asynchronous call, so that few fill a slice. */
const BATCH = 64;

/** Searches `start..=end`; the number, or null. */
export async function searchWithWebCrypto({ challenge, start, end }: SearchRest, host: Host) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    const detail = "No engine here has this hash function, and WebCrypto needs a secure context (HTTPS).";
    throw { code: "algorithm_unsupported", field: "algorithm", detail } satisfies Failure;
  }
  const encoder = new TextEncoder();
  const wanted = challenge.challenge.toLowerCase();
  const began = performance.now();
  const digest = async (number: number) => {
    const data = encoder.encode(challenge.salt + number);
    const bytes = new Uint8Array(await subtle.digest(challenge.algorithm.toUpperCase(), data));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  for (let next = start; next <= end; next += BATCH) {
    if (host.signal.aborted) return null;
    const numbers = Array.from({ length: Math.min(BATCH, end - next + 1) }, (_, index) => next + index);
    const digests = await Promise.all(numbers.map(digest));
    const found = digests.indexOf(wanted);
    const searched = next - start + (found < 0 ? numbers.length : found + 1);
    host.progress(searched, end - start + 1, performance.now() - began);
    if (found >= 0) return next + found;
    await host.pause();
  }
  return null;
}
