/** Browsers: threads and memory for the derivation of keys. */
import { connectKeyWorker, isForeign, type KeyThread, startKeyWorker } from "./key-thread.js";
import type { KeyReport } from "./messages.js";

export { type KeyThread, machineMemory, threadCount } from "./key-thread.js";

/** Starts a worker; `url` is its script, where the caller knows it. Throws, or calls `onBroken`, where that is refused. */
export function spawnKeyWorker(
  url: string | undefined,
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
): KeyThread {
  // A literal expression, or bundlers do not see it.
  const own = () =>
    new Worker(new URL("./kdf-worker.js", import.meta.url), { type: "module", name: "saltmine-kdf" });
  const here = import.meta.url;
  // Not the literal expression above for another origin: a bundler's file of the page's origin is not there.
  const script = url ?? (isForeign(here) ? new URL("kdf-worker.js", here).href : undefined);
  return connectKeyWorker(script === undefined ? own() : startKeyWorker(script), onReport, onBroken);
}

/** The engine without a worker: its code is loaded only when this is called. */
export const loadKeyPageEngine = () => import("#kdf-page-engine");
