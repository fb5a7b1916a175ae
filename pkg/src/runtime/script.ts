/** A page that has the package by a `<script src>`, mostly from another origin. */
import { KEY_WORKER, threadOf, workerAt } from "./thread.js";
import type * as web from "./web.js";

export { DEFAULT_STORAGE, isLoadable, threadCount } from "./thread.js";

/**
 * Returns the script that runs now. `document.currentScript` itself may be another element: one of the page whose name is
 * `currentScript`.
 */
function currentScript(): HTMLScriptElement | null | undefined {
  const { document, Document } = globalThis;
  if (!document || !Document) return undefined;
  return Object.getOwnPropertyDescriptor(Document.prototype, "currentScript")?.get?.call(document);
}

/**
 * The address of this script, known only while it is run. Where it is not known (a content script of an extension, a
 * script whose text was evaluated), no address of the page may take its place: the page's server is not ours.
 */
const here = currentScript()?.src || undefined;

/** Returns the address of a file beside this script. */
export function beside(file: string): string {
  if (!here)
    throw new Error(
      `the script does not know its own address, and so not that of ${file}: set assetsUrl, or use inline.global.js`,
    );
  return new URL(file, here).href;
}

/** Starts the worker. */
export const spawn: typeof web.spawn = (url, onReport, onBroken) =>
  threadOf(workerAt(url ?? beside("worker.js")), onReport, onBroken);

/** Starts a worker that derives keys. */
export const spawnKeyWorker: typeof web.spawnKeyWorker = (url, onReport, onBroken) =>
  threadOf(workerAt(url ?? beside("kdf-worker.js"), KEY_WORKER), onReport, onBroken);

/** Returns the address of the module of a key derivation. */
export const keyModuleUrl: typeof web.keyModuleUrl = (module, url) =>
  url ?? (here && beside(`kdf-${module}.wasm`));

/** Returns the address of an engine's file. */
export const engineUrl: typeof web.engineUrl = (engine) =>
  here && beside(engine === "javascript" ? "javascript.js" : `${engine}.wasm`);

/** Loads the engine without a worker. The address is absolute, since a script has none for a relative import(). */
export const loadPageEngine: typeof web.loadPageEngine = (url) => import(url ?? beside("page-engine.js"));
