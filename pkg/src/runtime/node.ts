/** The interface of a Node worker thread to its owner. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { ClientEngine, Report } from "../solver/messages.js";
import type { PageEngine, Thread } from "./types.js";

/** Starts the worker thread. */
export function spawn(
  url: string | undefined,
  onReport: (report: Report) => void,
  onBroken: (reason: string) => void,
): Thread {
  const script = new URL(url ?? "./node-worker.js", import.meta.url);
  // Node refuses some flags of the process for a worker, such as --input-type; the script needs none of them.
  const worker = new Worker(script, { name: "saltmine", execArgv: [] });
  worker.on("message", onReport);
  worker.on("error", (error) => onBroken(error.message));
  worker.on("exit", () => onBroken("the worker thread ended"));
  return {
    post: (command) => worker.postMessage(command),
    terminate: () => void worker.terminate(),
    keepAlive: (on) => (on ? worker.ref() : worker.unref()),
  };
}

/** Returns nothing: the worker thread reads the modules beside its own file. */
export const engineUrl = (_engine: ClientEngine): string | undefined => undefined;

/** Loads the engine without a worker. */
export const loadPageEngine = (_url?: string): Promise<PageEngine> => import("#page-engine");

/** Returns the number of the machine's threads. */
export const threadCount = availableParallelism;

/** No storage outlives a Node process. */
export const DEFAULT_STORAGE = "memory";

/** Whether this runtime loads the package's files from an address: Node starts no thread from the network. */
export const isLoadable = (address: string): boolean => address.startsWith("file:");
