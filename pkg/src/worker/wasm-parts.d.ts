/** What the build makes of the wasm crate. */
declare module "#client" {
  /** Connects the glue with an instance. The module imports the other functions of the glue, or wraps them. */
  export function __wbg_set_wasm(exports: object): void;
}
declare module "#javascript" {
  /** Makes an instance of the module, translated to JavaScript; returns its exports. */
  export default function instantiate(imports: WebAssembly.Imports): Record<string, unknown>;
}
