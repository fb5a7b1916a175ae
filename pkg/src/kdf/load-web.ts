/** Browsers: the modules of the key derivations. The literal `new URL`s are for bundlers. */
import { fetchBytes } from "../common/wasm-files.js";
import type { ModuleFile } from "./messages.js";

const FILES: Record<ModuleFile, () => URL> = {
  "kdf-sha": () => new URL("./kdf-sha.wasm", import.meta.url),
  "kdf-scrypt": () => new URL("./kdf-scrypt.wasm", import.meta.url),
  "kdf-argon2id": () => new URL("./kdf-argon2id.wasm", import.meta.url),
  "kdf-sha-scalar": () => new URL("./kdf-sha-scalar.wasm", import.meta.url),
  "kdf-scrypt-scalar": () => new URL("./kdf-scrypt-scalar.wasm", import.meta.url),
  "kdf-argon2id-scalar": () => new URL("./kdf-argon2id-scalar.wasm", import.meta.url),
};

/** Compiles a module; `url` is its address, where the caller knows it. */
export async function readModule(file: ModuleFile, url?: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await fetchBytes(url ?? FILES[file]()));
}
