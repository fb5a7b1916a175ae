/** The smallest module (magic number and version). */
const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** Throws the browser's own error where the page's policy refuses WebAssembly. */
export const requireWasmAllowed = (): void => void new WebAssembly.Module(EMPTY);
