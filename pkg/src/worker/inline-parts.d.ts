/** The modules and the worker as the build embeds them in the one-file entry point. */
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
