/** A worker thread as its owner sees it. */
import { Worker } from "node:worker_threads";
import type { Engine, Report } from "../messages.js";
import type { Thread } from "./web.js";

/** Starts the worker thread. */
export function spawn(onReport: (report: Report) => void, onBroken: (reason: string) => void): Thread {
  const worker = new Worker(new URL("./node-worker.js", import.meta.url), { name: "saltmine" });
  worker.on("message", onReport);
  worker.on("error", (error) => onBroken(error.message));
  worker.on("exit", () => onBroken("the worker thread ended"));
  return {
    post: (command) => worker.postMessage(command),
    terminate: () => void worker.terminate(),
    keepAlive: (on) => (on ? worker.ref() : worker.unref()),
  };
}

/** The engine without a worker: its code is loaded only when this is called. A page has one of each kind. */
export const loadPageEngine = (engine: Engine | undefined) =>
  engine === "scalar" ? import("#page-engine-scalar") : import("#page-engine");

/** No storage outlives a Node process. */
export const DEFAULT_STORAGE = "memory";
