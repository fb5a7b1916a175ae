/** Counts this process's worker threads. Must be imported before the package under test. */
import { syncBuiltinESMExports } from "node:module";
import workerThreads from "node:worker_threads";

const running = new Set();

workerThreads.Worker = class extends workerThreads.Worker {
  constructor(...args) {
    super(...args);
    running.add(this);
    this.once("exit", () => running.delete(this));
  }
};
syncBuiltinESMExports();

/** How many run now. */
export const threadCount = () => running.size;

/** Ends one of them, as a crash would. */
export const killOne = () => [...running][0].terminate();

/** Waits until none is left; fails after `limitMs`. */
export async function threadsGone(limitMs) {
  const deadline = Date.now() + limitMs;
  while (running.size > 0) {
    if (Date.now() > deadline) throw new Error(`${running.size} worker threads are left after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
