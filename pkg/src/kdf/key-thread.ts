/** A Web Worker that derives keys, as its owner sees it, however it was started. */
import { workerAt } from "../runtime/thread.js";
import type { Thread } from "../runtime/types.js";
import type { KeyCommand } from "./messages.js";

/** A thread that derives keys. */
export type KeyThread = Thread<KeyCommand>;

/**
 * The assumed memory of the machine, in GiB, where the browser does not report it: Safari and Firefox never do,
 * Chromium only in a secure context. Most phones have this much; with a larger value the browser could stop the page.
 */
const ASSUMED_MEMORY = 4;

/** Starts the worker at an address. */
export const startKeyWorker = (script: string): Worker =>
  workerAt(script, { type: "module", name: "saltmine-kdf" });

/** Returns the number of the machine's threads. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 2;

/** Returns the memory of the machine, in bytes. */
export const machineMemory = (): number =>
  ((globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? ASSUMED_MEMORY) * 2 ** 30;
