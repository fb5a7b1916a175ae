/** A Web Worker that derives keys, as its owner sees it, however it was started. */
import { workerAt } from "../runtime/thread.js";
import type { Thread } from "../runtime/types.js";
import type { KeyCommand } from "./messages.js";

/** A thread that derives keys. */
export type KeyThread = Thread<KeyCommand>;

/** What a browser has that does not say, in GiB. */
const USUAL_MEMORY = 8;

/** Starts the worker at an address. */
export const startKeyWorker = (script: string): Worker =>
  workerAt(script, { type: "module", name: "saltmine-kdf" });

/** How many threads this machine has. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 2;

/** The memory of this machine, in bytes. */
export const machineMemory = (): number =>
  ((globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? USUAL_MEMORY) * 2 ** 30;
