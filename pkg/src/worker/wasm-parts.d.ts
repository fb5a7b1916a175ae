/** The build's output for the wasm crate. */
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
