/** The public types of a search: challenges and engines. */

/** The implementation that runs the search. */
export type Engine = "simd128" | "scalar" | "javascript" | "webcrypto";

/** The engine of a search, and the thread that it runs on. */
export interface Backend {
  /**
   * `simd128`: four hashes at once; `scalar`: where WebAssembly has no SIMD; `javascript`: where a page's policy or the
   * browser refuses WebAssembly; `webcrypto`: the browser's own key derivation, for challenges of version 2.
   */
  engine: Engine;
  /** `page` only where no worker can run: the search then runs in slices of 8 ms. */
  thread: "worker" | "page";
  /** The reason why no faster engine is used. */
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
  /** The salt, hashed and sent back unchanged. */
  salt: string;
  /** Hex HMAC of `challenge`; sent back unchanged. */
  signature: string;
}
