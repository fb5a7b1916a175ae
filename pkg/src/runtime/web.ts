/** Pages that have the package as ES modules, bundled or not. The literal expressions are what bundlers look for. */
import type { ClientEngine, Report } from "../solver/messages.js";
import { ownWorker, threadOf, workerAt } from "./thread.js";
import type { PageEngine, Thread } from "./types.js";

export { DEFAULT_STORAGE, isLoadable, threadCount } from "./thread.js";

/** Starts the worker. Throws where that is refused at once; elsewhere `onBroken` is called, or nothing happens at all. */
export function spawn(
  url: string | undefined,
  onReport: (report: Report) => void,
  onBroken: (reason: string) => void,
): Thread {
  return threadOf(url ? workerAt(url) : ownWorker(construct), onReport, onBroken);
}

const construct = (): Worker =>
  new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "saltmine" });

/** Returns the address of an engine's file, evaluated only when it is needed: some formats have no `import.meta.url`. */
export const engineUrl = (engine: ClientEngine): string | undefined =>
  (engine === "simd128"
    ? new URL("./simd128.wasm", import.meta.url)
    : engine === "scalar"
      ? new URL("./scalar.wasm", import.meta.url)
      : new URL("./javascript.js", import.meta.url)
  ).href;

/** Loads the engine without a worker, which a bundler has made a part of the page's own scripts: `_url` is not needed. */
export const loadPageEngine = (_url?: string): Promise<PageEngine> => import("#page-engine");
