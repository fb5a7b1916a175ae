/** What the build makes of the modules and the worker for the one-file entry point. */
declare module "#inline-wasm" {
  /** `simd128.wasm`, deflated, in base64. */
  const base64: string;
  export default base64;
}
declare module "#inline-worker" {
  /** `inline-worker.ts` as a classic script. */
  const text: string;
  export default text;
}
declare module "#inline-javascript" {
  /** Makes an instance of the module in JavaScript. It refers to nothing outside itself, so that its text can be used too. */
  export default function instantiate(): import("./wasm-module.js").Exports;
}
