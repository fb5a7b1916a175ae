/** The worker of the one-file entry point, which gets its module compiled from the page, or not at all. */
import type { ModuleFile } from "./messages.js";

/** Fails with the reason why the page has compiled no module. */
export async function readModule(file: ModuleFile, _url?: string): Promise<WebAssembly.Module> {
  // The smallest module (magic number and version): throws where the page's policy refuses WebAssembly.
  new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  throw new Error(`${file}.wasm is not part of saltmine/inline: set assetsUrl`);
}
