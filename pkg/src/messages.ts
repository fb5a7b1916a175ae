/**
 * What crosses between the page and an engine, in a worker or on the page: one tagged union each way.
 * Requests carry an id; an engine answers each with exactly one
 * `done`, `failed` or `lacks-algorithm`.
 */
import type { Failure } from "./errors.js";

/** What runs the search. */
export type Engine = "simd128" | "scalar";

/** The rung of the ladder that the work stands on. */
export interface Backend {
  /** `simd128`: four hashes at once; `scalar`: where WebAssembly has no SIMD. */
  engine: Engine;
  /** `page` only where there can be no worker: there the work is cut into slices of 8 ms. */
  thread: "worker" | "page";
  /** Why it does not stand higher. */
  reason?: string;
}

/** A challenge as the server sends it (ALTCHA v1). */
export interface Challenge {
  /** `SHA-256`; `SHA-1`, `SHA-384` and `SHA-512` are solved too. */
  algorithm: string;
  /** Hex digest of salt + number. */
  challenge: string;
  /** The last candidate; 1000000 when absent. */
  maxnumber?: number;
  /** Hashed and echoed verbatim. */
  salt: string;
  /** Hex HMAC of `challenge`; echoed verbatim. */
  signature: string;
}

export interface SessionRequest {
  baseUrl: string;
  appId: string;
  origin: string | undefined;
  token: string | undefined;
  maxNumber: number;
  timeoutMs: number;
}

/** What a session request comes back with. */
export interface SessionGrant {
  token: string;
  expiresAt: string;
  proofOfWork: boolean;
}

/** Page to engine. */
export type Command =
  /** Comes first, once: the best engine that this runtime can run, or the one that is wanted. */
  | { type: "start"; engine: Engine | undefined }
  | { type: "session"; id: number; request: SessionRequest }
  /** Reads a challenge and keeps it under the id; done with its last candidate. */
  | { type: "open"; id: number; challenge: Challenge; maxNumber: number }
  /** Searches a part of an opened challenge; done with the number or null. */
  | { type: "search"; id: number; start: number; end: number }
  /** Forgets an opened challenge; has no answer. */
  | { type: "close"; id: number }
  /** Ends whatever runs under the id. */
  | { type: "abort"; id: number };

/** Engine to page. */
export type Report =
  | { type: "started"; engine: Engine }
  | { type: "broken"; reason: string }
  | { type: "state"; id: number; state: "challenge" | "solving" | "session" }
  /** Candidates searched since the request began, of how many. */
  | { type: "progress"; id: number; searched: number; total: number; elapsedMs: number }
  /** The engine does not have the challenge's hash function; the scalar one has all. */
  | { type: "lacks-algorithm"; id: number }
  | { type: "done"; id: number; value: SessionGrant | number | null }
  | { type: "failed"; id: number; failure: Failure };

/** What a request tells while it runs. */
export type Update = Extract<Report, { type: "state" | "progress" }>;
