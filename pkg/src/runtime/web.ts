/** Pages that have the package as ES modules, bundled or not. The literal expressions are what bundlers look for. */
import type { Report } from "../solver/messages.js";
import { threadOf, workerAt } from "./thread.js";
import type { Kind, PageEngine, Thread, Variant } from "./types.js";

export { DEFAULT_STORAGE, threadCount } from "./thread.js";

/** Starts the worker. Throws where that is refused at once; elsewhere `onBroken` tells, or nothing at all. */
export function spawn(
  kind: Kind,
  url: string | undefined,
  onReport: (report: Report) => void,
  onBroken: (reason: string) => void,
): Thread {
  return threadOf(url ? workerAt(url) : ownWorker(kind), onReport, onBroken);
}

/** Starts the worker that the bundler put beside the page's script. */
function ownWorker(kind: Kind): Worker {
  try {
    return construct(kind);
  } catch (error) {
    const { url, options } = addressOf(kind);
    // The page's own origin: another reason.
    if (url.origin === location.origin) throw error;
    return workerAt(url, options?.type ?? "classic");
  }
}

/** webpack puts workers of the same name into one file. */
const construct = (kind: Kind): Worker =>
  kind === "javascript"
    ? new Worker(new URL("./worker-javascript.js", import.meta.url), { type: "module" })
    : kind === "javascript-all"
      ? new Worker(new URL("./worker-javascript-all.js", import.meta.url), { type: "module" })
      : new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "saltmine" });

/**
 * Returns the address that a bundler gave the worker, and how to start it. Only the whole expression above is replaced by
 * bundlers, so for the moment of its evaluation a stand-in takes the place of `Worker`.
 */
function addressOf(kind: Kind): { url: URL; options: WorkerOptions | undefined } {
  const { Worker } = globalThis;
  let address: { url: URL; options: WorkerOptions | undefined } | undefined;
  globalThis.Worker = class {
    constructor(url: string | URL, options?: WorkerOptions) {
      address = { url: new URL(url, location.href), options };
    }
  } as unknown as typeof Worker;
  try {
    construct(kind);
  } finally {
    globalThis.Worker = Worker;
  }
  return address as NonNullable<typeof address>;
}

/** Returns the address of a module, evaluated only when it is needed: some formats have no `import.meta.url`. */
export const wasmUrl = (variant: Variant): string | undefined =>
  (variant === "simd128"
    ? new URL("./simd128.wasm", import.meta.url)
    : new URL("./scalar.wasm", import.meta.url)
  ).href;

/** Loads the engine without a worker, which a bundler has made a part of the page's own scripts: `_url` is not needed. */
export const loadPageEngine = (kind: Kind, _url?: string): Promise<PageEngine> =>
  kind === "javascript"
    ? import("#page-engine-javascript")
    : kind === "javascript-all"
      ? import("#page-engine-javascript-all")
      : import("#page-engine");

/** Loads what several engines need, and only then. */
export const loadSearch = () => import("#search");

/** Loads what challenges of version 2 need. */
export const loadKeySearch = () => import("#keys");

/** Loads what a caller's own requests need. */
export const loadRequests = () => import("#requests");
