/** The worker of the one-file entry point, which gets its module compiled from the page, or not at all. */
import { requireWasmAllowed } from "../common/wasm-files.js";
import type { ModuleFile } from "./messages.js";

/** Fails with the reason why the page has compiled no module. */
export async function readModule(file: ModuleFile, _url?: string): Promise<WebAssembly.Module> {
  requireWasmAllowed();
  throw new Error(`${file}.wasm is not part of saltmine/inline: set assetsUrl`);
}
