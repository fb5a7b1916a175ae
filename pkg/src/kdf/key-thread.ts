/** A Web Worker that derives keys, as its owner sees it, however it was started. */
import { workerAt } from "../runtime/thread.js";
import type { KeyCommand, KeyReport } from "./messages.js";

/** A thread that derives keys. */
export interface KeyThread {
  post(command: KeyCommand): void;
  terminate(): void;
}

/** What a browser has that does not say, in GiB. */
const USUAL_MEMORY = 8;

/** Connects a worker's events with its owner. */
export function connectKeyWorker(
  worker: Worker,
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
): KeyThread {
  worker.onmessage = (event: MessageEvent<KeyReport>) => onReport(event.data);
  worker.onerror = (event) => {
    event.preventDefault?.();
    onBroken(event.message || "it did not start");
  };
  return { post: (command) => worker.postMessage(command), terminate: () => worker.terminate() };
}

/** Starts the worker at an address. */
export const startKeyWorker = (script: string): Worker =>
  workerAt(script, { type: "module", name: "saltmine-kdf" });

/** How many threads this machine has. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 2;

/** The memory of this machine, in bytes. */
export const machineMemory = (): number =>
  ((globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? USUAL_MEMORY) * 2 ** 30;
