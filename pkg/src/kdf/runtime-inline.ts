/** The one-file entry point: the worker's text is in the file. */
import workerText from "#inline-kdf-worker";
import { blobUrl, threadOf } from "../runtime/thread.js";
import * as pageEngine from "./page-engine.js";
import { type KeyThread, startKeyWorker } from "./key-thread.js";
import type { KeyReport } from "./messages.js";

export { machineMemory, threadCount } from "./key-thread.js";

/** Starts a worker; `url` is its script, where the caller knows it. Throws, or calls `onBroken`, where that is refused. */
export function spawnKeyWorker(
  url: string | undefined,
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
): KeyThread {
  const own = () =>
    new Worker(
      blobUrl("kdf-worker", () => [workerText]),
      { name: "saltmine-kdf" },
    );
  return threadOf(url === undefined ? own() : startKeyWorker(url), onReport, onBroken);
}

/** The engine without a worker: a part of this file. */
export const loadKeyPageEngine = async () => pageEngine;
