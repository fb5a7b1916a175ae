/** The one-file entry point: PBKDF2 and SHA with SIMD are in the file, the other modules are requested. */
import packed from "#inline-kdf-sha";
import { fetchBytes } from "../common/wasm-files.js";
import { unpack } from "../worker/load-inline.js";
import type { ModuleFile } from "./messages.js";

/** Compiles a module; `url` is its address, where the caller knows it. */
export async function readModule(file: ModuleFile, url?: string): Promise<WebAssembly.Module> {
  if (file === "kdf-sha") return WebAssembly.compile(await unpack(packed));
  if (!url) throw new Error(`${file}.wasm is not part of saltmine/inline: set assetsUrl`);
  return WebAssembly.compile(await fetchBytes(url));
}
