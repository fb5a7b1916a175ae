/**
 * The two solving functions of altcha-lib, with the signatures and results of 1.4.1 and of 2.x, on this package's
 * engines. Code that uses altcha-lib needs only another import.
 *
 * @module
 */
import { type Challenge, type ChallengeV2, solve } from "saltmine";
import type { AbortControllerType, URLType, WorkerType } from "./common/platform.js";

/** The options of `solveChallenge` in altcha-lib 2.x. */
export interface SolveChallengeOptions {
  /** The challenge. */
  challenge: ChallengeV2;
  /** Aborts the search. */
  controller?: AbortControllerType | undefined;
  /** Only `uint32`, the mode of version 2; challenges of version 1 have another signature of this function. */
  counterMode?: "uint32" | undefined;
  /** The first counter; default 0. */
  counterStart?: number | undefined;
  /** The distance between two counters; only 1, since the workers are this package's own. */
  counterStep?: 1 | undefined;
  /** Not used: this package derives the keys. */
  deriveKey?: unknown;
  /** Time limit of the search, in milliseconds; default 90000 (90 seconds). 0 and more than 2147483647 are no limit. */
  timeout?: number | undefined;
}

/** The options of `solveChallengeWorkers` in altcha-lib 2.x. */
export interface SolveChallengeWorkersOptions extends SolveChallengeOptions {
  /** The maximum number of workers, from 1 to 16. */
  concurrency?: number | undefined;
  /** Not used: the workers are this package's own. */
  createWorker?: unknown;
  /** Not used: the search continues with fewer workers by itself. */
  onOutOfMemory?: unknown;
}

/** The solution of a challenge of version 2, as altcha-lib 2.x returns it. */
export interface SolutionV2 {
  counter: number;
  /** The key of the counter, in hex digits. */
  derivedKey: string;
  /** The duration of the search, in milliseconds. */
  time: number;
}

/** The solution of a challenge of version 1, as altcha-lib returns it. */
export interface Solution {
  number: number;
  /** The duration of the search, in milliseconds. */
  took: number;
  /** Set by {@link solveChallengeWorkers}. */
  worker?: boolean | undefined;
}

/** altcha-lib starts at most so many workers. */
const MOST_WORKERS = 16;

const DEFAULT_TIMEOUT_MS = 90_000;
/** The longest delay of `setTimeout` (24.8 days): with a longer one it calls at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Solves a challenge of version 2. Returns null after `timeout`, or when `controller` was aborted.
 *
 * @example
 * ```ts
 * import { solveChallenge } from "saltmine/altcha-lib";
 *
 * const parameters = {
 *   algorithm: "PBKDF2/SHA-256",
 *   cost: 10,
 *   keyLength: 32,
 *   keyPrefix: "00",
 *   nonce: "00112233445566778899aabbccddeeff",
 *   salt: "ffeeddccbbaa99887766554433221100",
 * };
 * const solution = await solveChallenge({ challenge: { parameters } });
 * console.log(solution?.derivedKey.slice(0, 2)); // 00
 * ```
 */
export function solveChallenge(options: SolveChallengeOptions): Promise<SolutionV2 | null>;
/**
 * Solves a challenge of version 1: searches `start..=max`. `promise` is null if nothing was found, or if `controller`
 * was aborted.
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
  algorithm?: string,
  max?: number,
  start?: number,
): { promise: Promise<Solution | null>; controller: AbortControllerType };
export function solveChallenge(
  challenge: string | SolveChallengeOptions,
  salt = "",
  algorithm = "SHA-256",
  max = 1e6,
  start = 0,
): Promise<SolutionV2 | null> | { promise: Promise<Solution | null>; controller: AbortControllerType } {
  if (typeof challenge === "object") return findKey(challenge, 1);
  const controller = new AbortController();
  return { promise: find({ algorithm, challenge, salt }, start, max, 1, controller.signal), controller };
}

/** Solves a challenge of version 2 with at most `concurrency` workers. */
export function solveChallengeWorkers(options: SolveChallengeWorkersOptions): Promise<SolutionV2 | null>;
/**
 * Solves a challenge of version 1 with several workers, from `startNumber` on. The workers are this package's own, as
 * many as the work needs and at most `concurrency`: `workerScript` is not used.
 */
export function solveChallengeWorkers(
  workerScript: string | URLType | (() => WorkerType),
  concurrency: number,
  challenge: string,
  salt: string,
  algorithm?: string,
  max?: number,
  startNumber?: number,
): Promise<Solution | null>;
export async function solveChallengeWorkers(
  script: string | URLType | (() => WorkerType) | SolveChallengeWorkersOptions,
  concurrency = 1,
  challenge = "",
  salt = "",
  algorithm = "SHA-256",
  max = 1e6,
  startNumber = 0,
): Promise<Solution | SolutionV2 | null> {
  if (typeof script === "object" && "challenge" in script) {
    const { concurrency } = script;
    return findKey(
      script,
      concurrency && (Math.floor(Math.max(1, Math.min(MOST_WORKERS, concurrency))) || 1),
    );
  }
  const workers = Math.floor(Math.max(1, Math.min(MOST_WORKERS, concurrency))) || 1;
  // altcha-lib counts `max` from `startNumber`, rounded up to equal parts.
  const end = startNumber + Math.ceil(max / workers) * workers;
  const found = await find({ algorithm, challenge, salt }, startNumber, end, workers);
  return found && { ...found, worker: true };
}

/** Solves a challenge of version 2; with one worker for each thread when `workers` is undefined. */
async function findKey(
  { challenge, controller, counterMode, counterStart = 0, counterStep, timeout }: SolveChallengeOptions,
  workers: number | undefined,
): Promise<SolutionV2 | null> {
  if (counterMode !== undefined && counterMode !== "uint32")
    throw new Error("Only the counter mode `uint32` of version 2 is supported.");
  if (counterStep !== undefined && counterStep !== 1)
    throw new Error("Only the counter step 1 is supported.");
  const over = new AbortController();
  const abort = () => over.abort();
  const limit = timeout ?? DEFAULT_TIMEOUT_MS;
  const timer = limit && limit <= LONGEST_TIMER_MS ? setTimeout(abort, limit) : undefined;
  controller?.signal.addEventListener("abort", abort);
  if (controller?.signal.aborted) abort();
  try {
    const options = { start: counterStart, signal: over.signal, ...(workers && { workers }) };
    const { counter, derivedKey, tookMs } = await solve(challenge, options);
    return { counter, derivedKey, time: Math.floor(tookMs * 10) / 10 };
  } catch (error) {
    if (over.signal.aborted || (error as { code?: string }).code === "no_solution") return null;
    throw error;
  } finally {
    clearTimeout(timer);
    controller?.signal.removeEventListener("abort", abort);
  }
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
  // There is no signature, and `solve` does not use it.
  const signature = challenge.challenge;
  const options = { workers, start: first, maxNumber: maxnumber, ...(signal && { signal }) };
  try {
    const { number, tookMs } = await solve({ ...challenge, maxnumber, signature }, options);
    return { number, took: Math.round(tookMs) };
  } catch (error) {
    const { code, field } = error as { code?: string; field?: string };
    if (code === "no_solution" || signal?.aborted) return null;
    // A text that is no digest of this hash function is the digest of nothing.
    if (code === "challenge_malformed" && (field === "challenge" || field === "signature")) return null;
    throw error;
  }
}
