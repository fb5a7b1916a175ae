/** Wasm files: whether the page may use them, and their bytes. */
import { simd } from "wasm-feature-detect";

/** The smallest module (magic number and version). */
const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** Throws the browser's own error where the page's policy refuses WebAssembly. */
export const requireWasmAllowed = (): void => void new WebAssembly.Module(EMPTY);

/** The time limit of a download, in milliseconds. */
const TIMEOUT_MS = 30_000;
/** The first four bytes of a module, "\0asm". */
const MAGIC = 0x6d736100;

/**
 * The error of a download whose response did not end in time. Known by a member and not by its class, since each chunk has a
 * copy of this file.
 */
interface StalledDownload extends Error {
  isStalled: true;
}

/** Whether an error is that of a download whose response did not end in time. */
export const isStalled = (error: unknown): error is StalledDownload =>
  (Object(error) as Partial<StalledDownload>).isStalled === true;

/**
 * Returns the bytes of a wasm file. Not streamed: that needs the media type application/wasm, which not every server sends,
 * and saves nothing at 30 KB.
 */
export async function fetchBytes(url: string | URL): Promise<ArrayBuffer> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return await response.arrayBuffer();
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    const reason = new Error(`${url} was not complete after ${TIMEOUT_MS / 1000} s`);
    throw Object.assign(reason, { isStalled: true as const }) satisfies StalledDownload;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Requests a module with SIMD before the code that needs it has been loaded. Nothing where SIMD is not used, or the file cannot be
 * loaded, or is none: that code tries again. Rejects only with the error of a download that stalled.
 */
export async function requestAhead(url: string): Promise<ArrayBuffer | undefined> {
  try {
    // Throws where the page's policy refuses WebAssembly, which is mostly the worker's policy too.
    requireWasmAllowed();
    if (!(await simd())) return undefined;
    const bytes = await fetchBytes(url);
    return bytes.byteLength > 8 && new DataView(bytes).getUint32(0, true) === MAGIC ? bytes : undefined;
  } catch (error) {
    if (isStalled(error)) throw error;
    return undefined;
  }
}
