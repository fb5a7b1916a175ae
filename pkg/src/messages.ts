/**
 * What crosses between the page and an engine, in a worker or on the page: one tagged union each way.
 * Requests carry an id; an engine answers each with exactly one `done` or `failed`.
 */
import type { Failure } from "./errors.js";

/** The rung of the ladder that the work stands on. */
export type Engine = "simd128" | "scalar";

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
  | { type: "done"; id: number; value: SessionGrant | number | null }
  | { type: "failed"; id: number; failure: Failure };
