/** Where the package's files are, when they are not beside the page's script. */
import { invalid, shown } from "./options.js";

/** The files that a page or a worker loads by their addresses. */
const ASSET_FILES = [
  "worker.js",
  "worker-javascript.js",
  "worker-javascript-all.js",
  "page-engine.js",
  "page-engine-javascript.js",
  "page-engine-javascript-all.js",
  "simd128.wasm",
  "scalar.wasm",
] as const;

/** The name of a file that the package publishes and that {@link AssetsUrl} can place. */
export type AssetFile = (typeof ASSET_FILES)[number];

/**
 * The folder with the package's published files, all of the same version; or the address of each file, as a bundler's
 * `?url` imports give it. A file that is not named is looked for beside the page's script.
 */
export type AssetsUrl = string | URL | { readonly [File in AssetFile]?: string | URL | undefined };

/** Returns the address of a file, or nothing where the caller named none. */
export type Assets = (file: AssetFile) => string | undefined;

/** Reads the option `assetsUrl`. */
export function assetsOption(value: AssetsUrl | undefined): Assets {
  if (value === undefined) return () => undefined;
  if (typeof value === "string" || value instanceof URL) {
    const folder = absolute(value).replace(/[^/]*$/, (file) => (file === "" ? "" : `${file}/`));
    return (file) => new URL(file, folder).href;
  }
  if (typeof value !== "object" || value === null)
    invalid("assetsUrl", `must be a URL, not ${shown(value)}.`);
  const urls = new Map<string, string>();
  for (const [file, url] of Object.entries(value)) {
    if (!(ASSET_FILES as readonly string[]).includes(file))
      invalid("assetsUrl", `has the unknown file ${shown(file)}. The files are ${ASSET_FILES.join(", ")}.`);
    if (url !== undefined) urls.set(file, absolute(url));
  }
  return (file) => urls.get(file);
}

function absolute(value: string | URL): string {
  try {
    return new URL(value, globalThis.location?.href).href;
  } catch {
    return invalid("assetsUrl", `must be a URL, not ${shown(value)}.`);
  }
}
