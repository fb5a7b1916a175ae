/** The package's own files: where they are, if not beside the page's script, and the loading of code. */
import { isLoadable } from "#runtime";
import { baseUrl } from "./globals.js";
import { invalid, shown } from "./options.js";
import type { URLType } from "./platform.js";
import { describe } from "./describe.js";
import { SaltmineError } from "./errors.js";

/** The name of a published file that a page or a worker loads by its address. */
export type AssetFile =
  | "worker.js"
  | "page-engine.js"
  | "javascript.js"
  | "simd128.wasm"
  | "scalar.wasm"
  | "keys.js"
  | "kdf-worker.js"
  | `kdf-${"sha" | "scrypt" | "argon2id"}${"" | "-scalar"}.wasm`;

const ASSET_FILE =
  /^((worker|page-engine|javascript|keys|kdf-worker)\.js|(simd128|scalar|kdf-(sha|scrypt|argon2id)(-scalar)?)\.wasm)$/;

/**
 * The folder with the package's published files, all of the same version; or the address of each file, as a bundler's
 * `?url` imports give it. Other files are requested from beside the page's script.
 */
export type AssetsUrl = string | URLType | { readonly [File in AssetFile]?: string | URLType | undefined };

/** Returns the address of a file, or nothing where the caller named none. */
export type Assets = (file: AssetFile) => string | undefined;

/** Reads the option `assetsUrl`. */
export function assetsOption(value: AssetsUrl | undefined): Assets {
  if (value === undefined) return () => undefined;
  if (typeof value !== "object" || value instanceof URL) {
    const folder = absolute(value).replace(/[^/]$/, "$&/");
    return (file) => (isLoadable(folder) ? folder + file : undefined);
  }
  const urls = new Map<string, string>();
  for (const [file, url] of Object.entries(value ?? { null: value })) {
    if (!ASSET_FILE.test(file))
      invalid("assetsUrl", `must have names of the package's files as its members, not ${shown(file)}.`);
    const address = url === undefined ? "" : absolute(url);
    if (address && isLoadable(address)) urls.set(file, address);
  }
  return (file) => urls.get(file);
}

function absolute(value: string | URLType): string {
  try {
    return new URL(value, baseUrl()).href;
  } catch {
    return invalid("assetsUrl", `must be a URL, not ${shown(value)}.`);
  }
}

/** Loads a part of the package that is a file of its own; a file that is missing or blocked is `engine_unavailable`. */
export async function loadChunk<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new SaltmineError({ code: "engine_unavailable", detail: describe(error) }, error);
  }
}
