/** The options and results of `solve`. */
import type { AssetsUrl } from "../common/assets.js";
import type { AbortSignalType } from "../common/platform.js";
import type { Progress, ProgressV2 } from "./progress.js";
import type { Backend, Engine } from "./types.js";

/** What `solve` takes beside the challenge. */
export interface SolveOptions {
  /** Ends the search within one slice (25 ms). */
  signal?: AbortSignalType | undefined;
  /** Told how far the search has come; never backwards. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * The most workers that search at the same time, from 1 to 64; default one less than the machine has threads, at most
   * 8. Their number is proportional to the work: a usual challenge takes 1.
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

/** What `solve` finds. */
export interface SolveResult {
  /** The solution. */
  number: number;
  /** From the call to the solution, the start of the worker included, in milliseconds. */
  tookMs: number;
  /** Candidates tried; within the last slice an estimate. */
  hashes: number;
  /** The engine and the thread of the search. */
  backend: Backend;
}

/** What `solve` takes beside a challenge of version 2. */
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
  /** Where the package's files are, when they are not beside the page's script; as the option of the client. */
  assetsUrl?: AssetsUrl | undefined;
  /** The highest engine to use; default the best that runs. */
  engine?: Exclude<Engine, "javascript"> | undefined;
}

/** What `solve` finds for a challenge of version 2. */
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
