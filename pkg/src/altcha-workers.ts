/**
 * Workers for the `altcha` widget 3.x: they derive keys with WebAssembly in place of the widget's own workers, for
 * every algorithm of ALTCHA version 2, scrypt and Argon2id included. Importing this starts nothing.
 *
 * @example
 * ```ts
 * import "altcha";
 * import { registerWorkers } from "saltmine/altcha-workers";
 *
 * registerWorkers();
 * ```
 * @module
 */
import type { WorkerType } from "./common/platform.js";
import { ALGORITHM_NAMES } from "./kdf/challenge.js";
import { ownWorker } from "./runtime/thread.js";

/** The widget's table of workers: `$altcha.algorithms`. */
export interface AlgorithmTable {
  /** Sets the function that starts a worker of an algorithm. */
  set(algorithm: string, createWorker: () => WorkerType): unknown;
}

/** The names of the algorithms that {@link createWorker} solves. */
export const ALGORITHMS: readonly string[] = ALGORITHM_NAMES;

/**
 * Starts a worker that handles the widget's messages, for any of {@link ALGORITHMS}.
 *
 * @example
 * ```ts
 * import "altcha";
 * import { createWorker } from "saltmine/altcha-workers";
 *
 * $altcha.algorithms.set("PBKDF2/SHA-256", createWorker);
 * ```
 */
export function createWorker(): WorkerType {
  // A literal expression, or bundlers do not see it.
  return ownWorker(
    () =>
      new Worker(new URL("./altcha-worker.js", import.meta.url), { type: "module", name: "saltmine-altcha" }),
  );
}

/**
 * Registers {@link createWorker} for every algorithm; call it after the import of `altcha`.
 *
 * @throws TypeError if there is no table, because the widget was not imported.
 */
export function registerWorkers(table?: AlgorithmTable): void {
  const { $altcha } = globalThis as { $altcha?: { algorithms?: AlgorithmTable } };
  const algorithms = table ?? $altcha?.algorithms;
  if (!algorithms)
    throw new TypeError("There is no `$altcha.algorithms`: import `altcha` before registerWorkers().");
  for (const name of ALGORITHMS) algorithms.set(name, createWorker);
}
