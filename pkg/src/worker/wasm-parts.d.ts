/** What the build makes of the wasm crate. */
declare module "#client" {
  /** Connects the glue with an instance. */
  export function __wbg_set_wasm(exports: object): void;
  /** What an instance imports. */
  export const imports: WebAssembly.ModuleImports;
}
declare module "#javascript" {
  /** Makes an instance of the module, translated to JavaScript; returns its exports. */
  export default function instantiate(imports: WebAssembly.Imports): Record<string, unknown>;
}
