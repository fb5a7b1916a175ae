/** The bytes of wasm files. */
import { simd } from "wasm-feature-detect";
import { untilAborted } from "./abort.js";
import { requireWasmAllowed } from "./wasm-allowed.js";

/** The time limit of a download, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** The error of a download whose response did not end in time. */
export class StalledDownload extends Error {}

/**
 * Returns the bytes of a wasm file, those of `ahead` where it was requested already. Not streamed: that needs the media type application/wasm, which not every server sends,
 * and saves nothing at 30 KB.
 */
export async function fetchBytes(
  url: string | URL,
  ahead?: Promise<ArrayBuffer | undefined>,
): Promise<ArrayBuffer> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
  try {
    const early = ahead && (await untilAborted(ahead, controller.signal));
    if (early) return early;
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return await response.arrayBuffer();
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    throw new StalledDownload(`${url} was not complete after ${TIMEOUT_MS / 1000} s`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Requests a module with SIMD before the code that needs it has been loaded; nothing where it is not used, or cannot be loaded:
 * that code tries again.
 */
export async function requestAhead(url: string): Promise<ArrayBuffer | undefined> {
  try {
    // Throws where the page's policy refuses WebAssembly, which is mostly the worker's policy too.
    requireWasmAllowed();
    if (!(await simd())) return undefined;
    const response = await fetch(url);
    return response.ok ? await response.arrayBuffer() : undefined;
  } catch {
    return undefined;
  }
}
