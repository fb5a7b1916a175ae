/** Solves the challenge of version 2 that the flow of a session received. */
import type { Failure } from "../common/errors.js";
import type { Backend } from "../solver/messages.js";
import { solveKeys } from "./solve-keys.js";

/** What the flow continues with, and the engine of the search. */
export interface FlowSolution {
  counter: number;
  /** Hex digits. */
  derivedKey: string;
  /** Milliseconds. */
  time: number;
  /** How many keys were derived. */
  keys: number;
  backend: Backend;
}

/** What {@link solveForFlow} takes beside the challenge. */
export interface FlowSearchOptions {
  workers: number | undefined;
  wasmUrl: string | undefined;
  signal: AbortSignal;
  onProgress(searched: number, elapsedMs: number): void;
}

/** Solves the challenge, a JSON text; null when there is no solution. Throws a {@link Failure}. */
export async function solveForFlow(text: string, options: FlowSearchOptions): Promise<FlowSolution | null> {
  const began = performance.now();
  let challenge: unknown;
  try {
    challenge = JSON.parse(text);
  } catch (cause) {
    throw { code: "challenge_malformed", cause } satisfies Failure & { cause: unknown };
  }
  const { found, tried: keys, reason, ...backend } = await solveKeys(challenge, { start: 0, ...options });
  if (!found) return null;
  const time = Math.floor((performance.now() - began) * 10) / 10;
  return { ...found, time, keys, backend: reason ? { ...backend, reason } : backend };
}
