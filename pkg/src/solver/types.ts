/** The public types of a search: what is solved, and what solves it. */

/** What runs the search. */
export type Engine = "simd128" | "scalar" | "javascript" | "webcrypto";

/** The engine that does the work, and where. */
export interface Backend {
  /**
   * `simd128`: four hashes at once; `scalar`: where WebAssembly has no SIMD; `javascript`: where a page's policy or the
   * browser refuses WebAssembly; `webcrypto`: the browser's own key derivation, for challenges of version 2.
   */
  engine: Engine;
  /** `page` only where there can be no worker: there the work is cut into slices of 8 ms. */
  thread: "worker" | "page";
  /** Why it is not a faster one. */
  reason?: string | undefined;
}

/** A challenge as the server sends it (ALTCHA v1). */
export interface Challenge {
  /** `SHA-256`; `SHA-1`, `SHA-384` and `SHA-512` are solved too. */
  algorithm: string;
  /** Hex digest of salt + number. */
  challenge: string;
  /** The last candidate; 1000000 when absent. */
  maxnumber?: number | undefined;
  /** Hashed and echoed verbatim. */
  salt: string;
  /** Hex HMAC of `challenge`; echoed verbatim. */
  signature: string;
}
