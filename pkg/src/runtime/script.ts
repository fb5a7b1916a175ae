/** A page that has the package by a `<script src>`, mostly from another origin. */
import * as web from "./web.js";

export { DEFAULT_STORAGE, threadCount } from "./web.js";

/** Where this script is from: known only while it is run. */
const here =
  (globalThis.document?.currentScript as HTMLScriptElement | null)?.src ?? globalThis.location?.href;

const beside = (file: string) => new URL(file, here).href;

/** One for each address, for as long as the page lives. */
const blobs = new Map<string, string>();

/** Starts the worker. Its script must be of the page's origin: where it is not, a blob imports it. */
export const spawn: typeof web.spawn = (kind, url, onReport, onBroken) => {
  const { href, origin } = url
    ? new URL(url, location.href)
    : new URL(kind === "wasm" ? "worker.js" : `worker-${kind}.js`, here);
  let address = href;
  if (origin !== location.origin) {
    const text = `import ${JSON.stringify(href)};`;
    address = blobs.get(href) ?? URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    blobs.set(href, address);
  }
  return web.spawn(kind, address, onReport, onBroken);
};

// Absolute, since a script from another origin has no address for a relative import() to start from.
export const loadPageEngine: typeof web.loadPageEngine = (kind) =>
  import(beside(kind === "wasm" ? "page-engine.js" : `page-engine-${kind}.js`));
export const loadSearch: typeof web.loadSearch = () => import(beside("search.js"));
export const loadRequests: typeof web.loadRequests = () => import(beside("requests.js"));
export const loadKeySearch: typeof web.loadKeySearch = () => import(beside("keys.js"));
