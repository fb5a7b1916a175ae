import { loadChunk } from "../common/load-chunk.js";
import { type AssetsUrl, assetsOption } from "../common/assets.js";
import { abortReason, untilAborted } from "../common/abort.js";
import { loadSearch } from "#runtime";
import { asSaltmineError } from "../common/errors.js";
import { tell } from "../common/listener.js";
import type { Backend, Challenge, Engine } from "./messages.js";
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
import { type Progress, progressOf } from "./progress.js";

/** What {@link solve} takes beside the challenge. */
export interface SolveOptions {
  /** Ends the search within one slice (25 ms). */
  signal?: AbortSignal;
  /** Told how far the search has come; never backwards. */
  onProgress?: (progress: Progress) => void;
  /**
   * The most workers that search at the same time, from 1 to 64; default one less than the machine has threads, at most
   * 8. Only as many are started as the challenge is worth: for a usual one that is 1.
   */
  workers?: number;
  /** The first candidate; default 0. */
  start?: number;
  /** The largest `maxnumber` that is searched; default 10 million. A challenge's own value is not signed. */
  maxNumber?: number;
  /** Where the package's files are, when they are not beside the page's script; as {@link ClientOptions.assetsUrl}. */
  assetsUrl?: AssetsUrl | undefined;
  /** The best engine to use, for measurements and tests; default the best that runs. */
  engine?: Engine;
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
 * Solves an ALTCHA v1 challenge in a Web Worker.
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
export async function solve(challenge: Challenge, options?: SolveOptions): Promise<SolveResult> {
  const asked: SolveOptions = optionsObject(options);
  const signal = signalOption(asked.signal);
  const onProgress = listenerOption("onProgress", asked.onProgress);
  const workers = workersOption(asked.workers);
  const maxNumber = maxNumberOption(asked.maxNumber);
  const start = wholeNumber("start", asked.start, 0, 0, Number.MAX_SAFE_INTEGER);
  const engine = engineOption(asked.engine);
  if (signal?.aborted) throw abortReason(signal);
  const over = new AbortController();
  const task = { pool: poolFor(asked.assetsUrl), start, maxNumber, workers, engine, signal: over.signal };
  const solving = loadChunk(loadSearch).then(({ solveOnce }) =>
    solveOnce(challenge, task, (measured) => tell(onProgress, progressOf(measured))),
  );
  return untilAborted(solving, signal, () => over.abort()).catch((error) => {
    throw signal?.aborted ? abortReason(signal) : asSaltmineError(error, "engine_failed");
  });
}
