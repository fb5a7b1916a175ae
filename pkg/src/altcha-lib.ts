/**
 * The two solving functions of altcha-lib 1.4.1, with its signatures and results, on this package's engines: code that
 * uses them gets the speed by changing one import.
 *
 * @module
 */
import { type Challenge, solve } from "saltmine";
import type { AbortControllerType, URLType, WorkerType } from "./common/platform.js";

/** What altcha-lib finds. */
export interface Solution {
  number: number;
  /** Milliseconds. */
  took: number;
  /** Set by {@link solveChallengeWorkers}. */
  worker?: boolean | undefined;
}

/** altcha-lib starts at most so many workers. */
const MOST_WORKERS = 16;

/**
 * Searches `start..=max`; null when nothing was found, or when `controller` was aborted.
 *
 * @example
 * ```ts
 * import { solveChallenge } from "saltmine/altcha-lib";
 *
 * const challenge = "2ab204d76cdcec4609d290441fed2eec4186d288ca47c40cc7dd661a0de1b0d0";
 * const { promise } = solveChallenge(challenge, "salt", "SHA-256", 1000);
 * console.log((await promise)?.number); // 7
 * ```
 */
export function solveChallenge(
  challenge: string,
  salt: string,
  algorithm = "SHA-256",
  max = 1e6,
  start = 0,
): { promise: Promise<Solution | null>; controller: AbortControllerType } {
  const controller = new AbortController();
  return { promise: find({ algorithm, challenge, salt }, start, max, 1, controller.signal), controller };
}

/**
 * The same with several workers, from `startNumber` on. They are this package's own, as many as the work is worth and at
 * most `concurrency`: `workerScript` is not used.
 */
export async function solveChallengeWorkers(
  workerScript: string | URLType | (() => WorkerType),
  concurrency: number,
  challenge: string,
  salt: string,
  algorithm = "SHA-256",
  max = 1e6,
  startNumber = 0,
): Promise<Solution | null> {
  void workerScript;
  const workers = Math.floor(Math.max(1, Math.min(MOST_WORKERS, concurrency))) || 1;
  // altcha-lib counts `max` from `startNumber`, rounded up to equal parts.
  const end = startNumber + Math.ceil(max / workers) * workers;
  const found = await find({ algorithm, challenge, salt }, startNumber, end, workers);
  return found && { ...found, worker: true };
}

async function find(
  challenge: Omit<Challenge, "signature">,
  start: number,
  max: number,
  workers: number,
  signal?: AbortSignal,
): Promise<Solution | null> {
  const first = Math.max(0, Math.ceil(start));
  const maxnumber = Math.min(Number.MAX_SAFE_INTEGER, Math.floor(max));
  // altcha-lib compares texts: digests are in small letters.
  if (!(first <= maxnumber) || !/^[0-9a-f]+$/.test(challenge.challenge)) return null;
  // There is none, and nobody looks at it.
  const signature = challenge.challenge;
  const options = { workers, start: first, maxNumber: maxnumber, ...(signal && { signal }) };
  try {
    const { number, tookMs } = await solve({ ...challenge, maxnumber, signature }, options);
    return { number, took: Math.round(tookMs) };
  } catch (error) {
    const { code, field } = error as { code?: string; field?: string };
    if (code === "no_solution" || code === "aborted") return null;
    // A text that is no digest of this hash function is the digest of nothing.
    if (code === "challenge_malformed" && (field === "challenge" || field === "signature")) return null;
    throw error;
  }
}
