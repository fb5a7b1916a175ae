/** Browsers, and every runtime with their Worker and fetch. */
import { fetchBytes } from "../common/wasm-files.js";
import { JAVASCRIPT_KEY, loaderOf } from "./load.js";

type JavascriptEngine = typeof import("./javascript.js");

/** Loaded once: what the file leaves under the key is there at its first evaluation only. */
let engine: Promise<JavascriptEngine> | undefined;

/** `import()` of an address that bundlers do not know; the build replaces the name. */
declare function importByAddress<T>(url: string): Promise<T>;

/** Loads the best engine that this runtime can run. */
export const load = loaderOf(
  async (variant, url) => {
    if (!url) throw new Error(`the address of ${variant}.wasm is not known: set assetsUrl`);
    return fetchBytes(url);
  },
  async (url) => {
    if (!url) throw new Error("the address of javascript.js is not known: set assetsUrl");
    engine ??= importJavascript(url);
    engine.catch(() => (engine = undefined));
    return engine;
  },
);

/** Imports the file by its address: a bundler's worker is often a classic script, which cannot be split. */
async function importJavascript(url: string): Promise<JavascriptEngine> {
  const exports = await importByAddress<Partial<JavascriptEngine>>(url);
  const globals = globalThis as { [JAVASCRIPT_KEY]?: JavascriptEngine };
  const left = globals[JAVASCRIPT_KEY];
  delete globals[JAVASCRIPT_KEY];
  const found = exports.load ? (exports as JavascriptEngine) : left;
  if (!found) throw new Error(`${url} is not this package's file`);
  return found;
}
