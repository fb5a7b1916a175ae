import { type AssetsUrl, assetsOption } from "../common/assets.js";
import { loadChunk } from "../common/load-chunk.js";
import { abortReason, untilAborted } from "../common/abort.js";
import { loadKeySearch, loadSearch } from "#runtime";
import { asSaltmineError } from "../common/errors.js";
import { tell } from "../common/listener.js";
import type { AbortSignalType } from "../common/platform.js";
import type { Backend, Challenge, Engine } from "./types.js";
import {
  engineOption,
  listenerOption,
  maxNumberOption,
  optionsObject,
  signalOption,
  wholeNumber,
  workersOption,
} from "../common/options.js";
import { WorkerPool } from "./worker-pool.js";
import { type ChallengeV2, isVersion2 } from "../kdf/challenge.js";
import { type Progress, type ProgressV2, progressOf } from "./progress.js";

/** What {@link solve} takes beside the challenge. */
export interface SolveOptions {
  /** Ends the search within one slice (25 ms). */
  signal?: AbortSignalType | undefined;
  /** Told how far the search has come; never backwards. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * The most workers that search at the same time, from 1 to 64; default one less than the machine has threads, at most
   * 8. Only as many are started as the challenge is worth: for a usual one that is 1.
   */
  workers?: number | undefined;
  /** The first candidate; default 0. */
  start?: number | undefined;
  /** The largest `maxnumber` that is searched; default 10 million. A challenge's own value is not signed. */
  maxNumber?: number | undefined;
  /** Where the package's files are, when they are not beside the page's script; as the option of the client. */
  assetsUrl?: AssetsUrl | undefined;
  /** The highest engine to use, for measurements and tests; default the best that runs. */
  engine?: Engine | undefined;
}

/** What {@link solve} finds. */
export interface SolveResult {
  /** The solution. */
  number: number;
  /** From the call to the solution, the start of the worker included, in milliseconds. */
  tookMs: number;
  /** Candidates tried; within the last slice an estimate. */
  hashes: number;
  /** The rung of the ladder that the search stood on. */
  backend: Backend;
}

/** What {@link solve} takes beside a challenge of version 2. */
export interface SolveOptionsV2 {
  /** Ends the search at once. */
  signal?: AbortSignalType | undefined;
  /** Receives how far the search has come; never backwards. */
  onProgress?: ((progress: ProgressV2) => void) | undefined;
  /**
   * The most workers that search at the same time, from 1 to 64; default one for each thread of the machine, at most 16,
   * and only as many as 1/32 of the machine's memory is enough for.
   */
  workers?: number | undefined;
  /** The first counter; default 0. */
  start?: number | undefined;
  /** The last counter, if the server's range is known: then the progress has a `share`. Default 2^32 - 1. */
  maxCounter?: number | undefined;
  /** The highest engine to use; default the best that runs. */
  engine?: Exclude<Engine, "javascript"> | undefined;
}

/** What {@link solve} finds for a challenge of version 2. */
export interface SolveResultV2 {
  /** The solution. */
  counter: number;
  /** The key of the counter, in hex digits. */
  derivedKey: string;
  /** From the call to the solution, the start of the workers included, in milliseconds. */
  tookMs: number;
  /** How many keys were derived. */
  keys: number;
  /** The engine of the search. */
  backend: Backend;
}

/** Kept between two calls, one for each place of the package's files. */
const pools = new Map<string, WorkerPool>();

function poolFor(assetsUrl: AssetsUrl | undefined): WorkerPool {
  const assets = assetsOption(assetsUrl);
  const key = JSON.stringify(assetsUrl) ?? "";
  const pool = pools.get(key) ?? new WorkerPool(assets);
  pools.set(key, pool);
  return pool;
}

/**
 * Solves an ALTCHA challenge, of version 1 or 2, in Web Workers.
 *
 * @throws SaltmineError `challenge_malformed`, `algorithm_unsupported`, `maxnumber_too_large`, `no_solution`,
 * `aborted`, `invalid_options`, `engine_unavailable`
 * @example
 * ```ts
 * import { solve } from "saltmine";
 *
 * const { number, backend } = await solve({
 *   algorithm: "SHA-256",
 *   challenge: "2ab204d76cdcec4609d290441fed2eec4186d288ca47c40cc7dd661a0de1b0d0",
 *   maxnumber: 1000,
 *   salt: "salt",
 *   signature: "0000000000000000000000000000000000000000000000000000000000000000",
 * });
 * console.log(number); // 7
 * ```
 */
export function solve(challenge: ChallengeV2, options?: SolveOptionsV2): Promise<SolveResultV2>;
// The last one, since compilers report what does not fit the last overload.
export function solve(challenge: Challenge, options?: SolveOptions): Promise<SolveResult>;
export async function solve(
  challenge: Challenge | ChallengeV2,
  options?: SolveOptions | SolveOptionsV2,
): Promise<SolveResult | SolveResultV2> {
  const asked: SolveOptions & SolveOptionsV2 = optionsObject(options) as object;
  const signal = signalOption(asked.signal);
  listenerOption("onProgress", asked.onProgress as unknown);
  const over = new AbortController();
  const solving: Promise<SolveResult | SolveResultV2> = isVersion2(challenge)
    ? solveVersion2(challenge, asked, over.signal)
    : solveVersion1(challenge, asked as SolveOptions, over.signal);
  return untilAborted(solving, signal, () => over.abort()).catch((error) => {
    throw signal?.aborted ? abortReason(signal) : asSaltmineError(error, "engine_failed");
  });
}

async function solveVersion1(challenge: Challenge, asked: SolveOptions, signal: AbortSignal) {
  const workers = workersOption(asked.workers);
  const maxNumber = maxNumberOption(asked.maxNumber);
  const start = wholeNumber("start", asked.start, 0, 0, Number.MAX_SAFE_INTEGER);
  const engine = engineOption(asked.engine);
  const { solveOnce } = await loadChunk(loadSearch);
  const task = { pool: poolFor(asked.assetsUrl), start, maxNumber, workers, engine, signal };
  return solveOnce(challenge, task, (measured) => tell(asked.onProgress, progressOf(measured)));
}

async function solveVersion2(challenge: ChallengeV2, asked: SolveOptionsV2, signal: AbortSignal) {
  const began = performance.now();
  const { solveAlone } = await loadChunk(loadKeySearch);
  return solveAlone(challenge, asked, signal, began);
}
