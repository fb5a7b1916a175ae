import { assetsOption, type AssetsUrl, loadChunk } from "../common/assets.js";
import { abortReason, untilAborted } from "../common/abort.js";
import { loadSearch } from "#chunks";
import { asSaltmineError } from "../common/errors.js";
import { requireGlobals } from "../common/globals.js";
import { tell } from "../common/listener.js";
import {
  engineOption,
  listenerOption,
  maxNumberOption,
  optionsObject,
  requireKnown,
  signalOption,
  wholeNumber,
  workersOption,
} from "../common/options.js";
import { moduleIn, startKeys } from "./keys-ahead.js";
import { WorkerPool } from "./worker-pool.js";
import type { ChallengeV2 } from "../kdf/challenge.js";
import { progressOf } from "./progress.js";
import type { SolveOptions, SolveOptionsV2, SolveResult, SolveResultV2 } from "./solve-types.js";
import type { Challenge } from "./types.js";

/** The names of the options for both versions. */
const OPTIONS = "signal, onProgress, workers, start, assetsUrl, engine";

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
  requireGlobals();
  const asked: SolveOptions & SolveOptionsV2 = optionsObject(options) as object;
  const signal = signalOption(asked.signal);
  listenerOption("onProgress", asked.onProgress as unknown);
  const version = isVersion2(challenge) ? 2 : 1;
  const known = `${OPTIONS}, ${version === 2 ? "maxCounter" : "maxNumber"}`;
  requireKnown(asked, known, ` for version ${version}`);
  const over = new AbortController();
  const solving: Promise<SolveResult | SolveResultV2> = isVersion2(challenge)
    ? solveVersion2(challenge, asked, over.signal)
    : solveVersion1(challenge, asked as SolveOptions, over.signal);
  return untilAborted(solving, signal, () => over.abort()).catch((error) => {
    throw signal?.aborted ? abortReason(signal) : asSaltmineError(error, "engine_failed");
  });
}

/** Whether a value is a challenge of version 2: one with `parameters`. */
const isVersion2 = (challenge: unknown): challenge is ChallengeV2 =>
  (Object(challenge) as { parameters?: unknown }).parameters != null;

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
  const assets = assetsOption(asked.assetsUrl);
  const { algorithm } = Object(challenge.parameters) as { algorithm?: unknown };
  const keys = startKeys(
    moduleIn(typeof algorithm === "string" ? `"${algorithm}"` : ""),
    asked.engine,
    assets,
  );
  try {
    const { solveAlone } = await untilAborted(
      loadChunk(() => keys.code),
      signal,
    );
    return await solveAlone(challenge, asked, { assets, spawn: keys.spawn, wasm: keys.wasm, signal, began });
  } finally {
    keys.end();
  }
}
