/** Node: threads and memory for the derivation of keys. */
import { availableParallelism, totalmem } from "node:os";
import { Worker } from "node:worker_threads";
import type { KeyThread } from "./key-thread.js";
import type { KeyReport } from "./messages.js";

/** Starts a worker thread; `url` is its script, where the caller knows it. */
export function spawnKeyWorker(
  url: string | undefined,
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
): KeyThread {
  const worker = new Worker(new URL(url ?? "./node-kdf-worker.js", import.meta.url), {
    name: "saltmine-kdf",
    // Node refuses some flags of the process for a worker, such as --input-type; the script needs none of them.
    execArgv: [],
  });
  worker.on("message", onReport);
  worker.on("error", (error) => onBroken(error.message));
  worker.on("exit", () => onBroken("the worker thread ended"));
  return { post: (command) => worker.postMessage(command), terminate: () => void worker.terminate() };
}

/** The engine without a worker. */
export const loadKeyPageEngine = () => import("#kdf-page-engine");

/** Returns the number of the machine's threads. */
export const threadCount = availableParallelism;

/** Returns the memory of the machine, in bytes. */
export const machineMemory = totalmem;
