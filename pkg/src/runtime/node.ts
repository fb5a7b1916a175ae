/** A worker thread as its owner sees it. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Report } from "../solver/messages.js";
import type { Kind, Thread } from "./web.js";

/** Starts the worker thread. */
export function spawn(
  kind: Kind,
  url: string | undefined,
  onReport: (report: Report) => void,
  onBroken: (reason: string) => void,
): Thread {
  const entry = kind === "wasm" ? "./node-worker.js" : `./node-worker-${kind}.js`;
  const worker = new Worker(new URL(url ?? entry, import.meta.url), { name: "saltmine" });
  worker.on("message", onReport);
  worker.on("error", (error) => onBroken(error.message));
  worker.on("exit", () => onBroken("the worker thread ended"));
  return {
    post: (command) => worker.postMessage(command),
    terminate: () => void worker.terminate(),
    keepAlive: (on) => (on ? worker.ref() : worker.unref()),
  };
}

/** The engine without a worker: its code is loaded only when this is called. */
export const loadPageEngine = (kind: Kind) =>
  kind === "javascript"
    ? import("#page-engine-javascript")
    : kind === "javascript-all"
      ? import("#page-engine-javascript-all")
      : import("#page-engine");

/** What several engines need, and only then. */
export const loadSearch = () => import("#search");

/** What challenges of version 2 need. */
export const loadKeySearch = () => import("#keys");

/** What a caller's own requests need. */
export const loadRequests = () => import("#requests");

/** How many threads this machine has. */
export const threadCount = availableParallelism;

/** No storage outlives a Node process. */
export const DEFAULT_STORAGE = "memory";
