/** The time limit of a download, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** The error of a download whose response did not end in time. */
export class StalledDownload extends Error {}

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
    throw new StalledDownload(`${url} was not complete after ${TIMEOUT_MS / 1000} s`);
  } finally {
    clearTimeout(timer);
  }
}
