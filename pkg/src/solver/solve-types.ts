/** The options and results of `solve`. */
import type { AssetsUrl } from "../common/assets.js";
import type { AbortSignalType } from "../common/platform.js";
import type { Progress, ProgressV2 } from "./progress.js";
import type { Backend, Engine } from "./types.js";

/** The options of `solve`. */
export interface SolveOptions {
  /** Aborts the search within one slice (25 ms). */
  signal?: AbortSignalType | undefined;
  /** Receives the progress of the search; it never decreases. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * The maximum number of workers, from 1 to 64; default one less than the machine has threads, at most 8. The number
   * that is used is proportional to the work: a usual challenge needs 1.
   */
  workers?: number | undefined;
  /** The first candidate; default 0. */
  start?: number | undefined;
  /** The largest `maxnumber` that is searched; default 10000000 (10 million). A challenge's own value is not signed. */
  maxNumber?: number | undefined;
  /** The location of the package's files, as the option of the client. */
  assetsUrl?: AssetsUrl | undefined;
  /** The best engine to use, for measurements and tests; default the best that runs. */
  engine?: Engine | undefined;
}

/** The result of `solve`. */
export interface SolveResult {
  /** The solution. */
  number: number;
  /** From the call to the solution, the start of the worker included, in milliseconds. */
  tookMs: number;
  /** The number of tried candidates; estimated for the last slice. */
  hashes: number;
  /** The engine and the thread of the search. */
  backend: Backend;
}

/** The options of `solve` for a challenge of version 2. */
export interface SolveOptionsV2 {
  /** Aborts the search at once. */
  signal?: AbortSignalType | undefined;
  /** Receives the progress of the search; it never decreases. */
  onProgress?: ((progress: ProgressV2) => void) | undefined;
  /**
   * The maximum number of workers, from 1 to 64; default one for each thread of the machine, at most 16. All workers
   * together use at most 1/32 of the machine's memory.
   */
  workers?: number | undefined;
  /** The first counter; default 0. */
  start?: number | undefined;
  /** The last counter, if the server's range is known: then the progress has a `share`. Default 2^32 - 1. */
  maxCounter?: number | undefined;
  /** The location of the package's files, as the option of the client. */
  assetsUrl?: AssetsUrl | undefined;
  /** The best engine to use; default the best that runs. */
  engine?: Exclude<Engine, "javascript"> | undefined;
}

/** The result of `solve` for a challenge of version 2. */
export interface SolveResultV2 {
  /** The solution. */
  counter: number;
  /** The key of the counter, in hex digits. */
  derivedKey: string;
  /** From the call to the solution, the start of the workers included, in milliseconds. */
  tookMs: number;
  /** The number of derived keys. */
  keys: number;
  /** The engine of the search. */
  backend: Backend;
}
