/** One file with everything in it: no address of another file is ever needed, and no expression that bundlers look for. */
import javascript from "#inline-javascript";
import keyWorkerText from "#inline-kdf-worker";
import simd128 from "#inline-wasm";
import workerText from "#inline-worker";
import { loadInline } from "../worker/load-inline.js";
import { serveOnPage } from "../worker/serve-on-page.js";
import { blobUrl, KEY_WORKER, threadOf, workerAt } from "./thread.js";
import type * as web from "./web.js";

export { DEFAULT_STORAGE, isLoadable, threadCount } from "./thread.js";

/** Starts a worker from this file's own text, as a classic script: no import is needed. */
export const spawn: typeof web.spawn = (url, onReport, onBroken) => {
  if (url) return threadOf(workerAt(url), onReport, onBroken);
  // JavaScript's text is in the file once, as the code that runs on the page where there can be no worker.
  const engines = `const simd128=${JSON.stringify(simd128)},javascript=${javascript};`;
  return threadOf(
    workerAt(
      blobUrl("worker", () => [engines, workerText]),
      { name: "saltmine" },
    ),
    onReport,
    onBroken,
  );
};

/** Starts a worker that derives keys from this file's own text. */
export const spawnKeyWorker: typeof web.spawnKeyWorker = (url, onReport, onBroken) => {
  const own = () =>
    new Worker(
      blobUrl("kdf-worker", () => [keyWorkerText]),
      { name: "saltmine-kdf" },
    );
  return threadOf(url ? workerAt(url, KEY_WORKER) : own(), onReport, onBroken);
};

/** Returns nothing: the engines are in the file. */
export const engineUrl: typeof web.engineUrl = () => undefined;

/** Returns the caller's address of a module that is not in the file. */
export const keyModuleUrl: typeof web.keyModuleUrl = (module, url) => (module === "sha" ? undefined : url);

export const loadPageEngine: typeof web.loadPageEngine = async () => ({
  serveOnPage: (post) => serveOnPage(post, loadInline(simd128, javascript)),
});
