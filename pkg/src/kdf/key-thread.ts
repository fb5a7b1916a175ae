/** A Web Worker that derives keys, as its owner sees it, however it was started. */
import { workerAt } from "../runtime/thread.js";
import type { Thread } from "../runtime/types.js";
import type { KeyCommand } from "./messages.js";

/** A thread that derives keys. */
export type KeyThread = Thread<KeyCommand>;

/**
 * The memory where the browser does not say, in GiB. Safari and Firefox never do, and Chromium only in a secure context. This
 * is what most phones with these browsers have; a larger value could end the page there.
 */
const ASSUMED_MEMORY = 4;

/** Starts the worker at an address. */
export const startKeyWorker = (script: string): Worker =>
  workerAt(script, { type: "module", name: "saltmine-kdf" });

/** How many threads this machine has. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 2;

/** The memory of this machine, in bytes. */
export const machineMemory = (): number =>
  ((globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? ASSUMED_MEMORY) * 2 ** 30;
