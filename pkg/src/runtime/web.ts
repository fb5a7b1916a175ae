/** Pages that have the package as ES modules, bundled or not. The literal expressions are what bundlers look for. */
import type { ModuleName } from "../kdf/challenge.js";
import type { KeyReport, KeyThread } from "../kdf/messages.js";
import type { ClientEngine, Report } from "../solver/messages.js";
import { KEY_WORKER, ownWorker, threadOf, workerAt } from "./thread.js";
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

/** Starts a worker that derives keys, in the same way. */
export function spawnKeyWorker(
  url: string | undefined,
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
): KeyThread {
  return threadOf(url ? workerAt(url, KEY_WORKER) : ownWorker(constructKeyWorker), onReport, onBroken);
}

const constructKeyWorker = (): Worker =>
  new Worker(new URL("./kdf-worker.js", import.meta.url), { type: "module", name: "saltmine-kdf" });

/** Returns the address of the module of a key derivation, with SIMD; `url` is the caller's own. */
export const keyModuleUrl = (module: ModuleName, url: string | undefined): string | undefined =>
  url ??
  (module === "sha"
    ? new URL("./kdf-sha.wasm", import.meta.url)
    : module === "scrypt"
      ? new URL("./kdf-scrypt.wasm", import.meta.url)
      : new URL("./kdf-argon2id.wasm", import.meta.url)
  ).href;

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
