/** The interface of a Node worker thread to its owner. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { ModuleName } from "../kdf/challenge.js";
import type { KeyReport, KeyThread } from "../kdf/messages.js";
import type { ClientEngine, Report } from "../solver/messages.js";
import type { PageEngine, Thread } from "./types.js";

/** Starts the worker thread. */
export function spawn(
  url: string | undefined,
  onReport: (report: Report) => void,
  onBroken: (reason: string) => void,
): Thread {
  return threadOf(new URL(url ?? "./node-worker.js", import.meta.url), "saltmine", onReport, onBroken);
}

/** Starts a worker thread that derives keys. */
export function spawnKeyWorker(
  url: string | undefined,
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
): KeyThread {
  return threadOf(
    new URL(url ?? "./node-kdf-worker.js", import.meta.url),
    "saltmine-kdf",
    onReport,
    onBroken,
  );
}

function threadOf<C, R>(
  script: URL,
  name: string,
  onReport: (report: R) => void,
  onBroken: (reason: string) => void,
): Thread<C> {
  // Node refuses some flags of the process for a worker, such as --input-type; the script needs none of them.
  const worker = new Worker(script, { name, execArgv: [] });
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

/** Returns nothing, for the same reason. */
export const keyModuleUrl = (_module: ModuleName, _url: string | undefined): string | undefined => undefined;

/** Loads the engine without a worker. */
export const loadPageEngine = (_url?: string): Promise<PageEngine> => import("#page-engine");

/** Returns the number of the machine's threads. */
export const threadCount = availableParallelism;

/** No storage outlives a Node process. */
export const DEFAULT_STORAGE = "memory";

/** Whether this runtime loads the package's files from an address: Node starts no thread from the network. */
export const isLoadable = (address: string): boolean => address.startsWith("file:");
