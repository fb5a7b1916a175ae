/** The output of the build: the modules of the wasm crate, and the parts that it embeds in the one-file entry point. */
declare module "#client" {
  /** The script that connects JavaScript with one instance. */
  export interface Glue extends Pick<typeof import("./wasm.js"), "session" | "solve" | "search"> {
    /** Connects it. */
    __wbg_set_wasm(exports: object): void;
    /** The imports of the instance. */
    imports: WebAssembly.ModuleImports;
  }
  /** Returns the script for another instance. `guard` runs the functions of the module that the runtime calls. */
  export function createGlue(guard: <T>(run: () => T) => T | undefined): Glue;
}
declare module "#javascript" {
  /** Makes an instance of the module, translated to JavaScript; returns its exports. */
  export default function instantiate(imports: WebAssembly.Imports): Record<string, unknown>;
}
declare module "#inline-wasm" {
  /** `simd128.wasm`, deflated, in base64. */
  const base64: string;
  export default base64;
}
declare module "#inline-kdf-sha" {
  /** `kdf-sha.wasm`, deflated, in base64. */
  const base64: string;
  export default base64;
}
declare module "#inline-kdf-worker" {
  /** `kdf/web-worker.ts` as a classic script. */
  const text: string;
  export default text;
}
declare module "#inline-worker" {
  /** `inline-worker.ts` as a classic script. */
  const text: string;
  export default text;
}
declare module "#inline-javascript" {
  /** Returns the engine. It refers to nothing outside itself, so that its text can be used too. */
  export default function engine(): typeof import("./javascript.js");
}
