/** Browsers: threads and memory for the derivation of keys. */
import { ownWorker, threadOf } from "../runtime/thread.js";
import { type KeyThread, startKeyWorker } from "./key-thread.js";
import type { KeyReport } from "./messages.js";

export { type KeyThread, machineMemory, threadCount } from "./key-thread.js";

/** Starts a worker; `url` is its script, where the caller knows it. Throws, or calls `onBroken`, where that is refused. */
export function spawnKeyWorker(
  url: string | undefined,
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
): KeyThread {
  return threadOf(url === undefined ? ownWorker(construct) : startKeyWorker(url), onReport, onBroken);
}

// A literal expression, or bundlers do not see it.
const construct = (): Worker =>
  new Worker(new URL("./kdf-worker.js", import.meta.url), { type: "module", name: "saltmine-kdf" });

/** The engine without a worker: its code is loaded only when this is called. */
export const loadKeyPageEngine = () => import("#kdf-page-engine");
