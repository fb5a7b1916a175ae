/** A long search in short slices: between two of them the thread is free for messages, input and paint. */

/** A slice in a worker, in milliseconds: long enough to be worth the pause, short enough to hear an abort. */
export const WORKER_SLICE_MS = 25;

/** What a slice runs: a synchronous search of `start..=end` that gives the number or -1. */
export interface Searcher {
  run(start: number, end: number): number;
}

export interface SliceOptions {
  /** How long one slice may take, in milliseconds. */
  sliceMs: number;
  /** Told after every slice that took a while: candidates covered so far. Whether to stop there is asked with it. */
  covered(candidates: number): boolean;
}

/** Short even for SHA-512 in JavaScript that no compiler has seen yet. */
const FIRST_SLICE = 16;
const LARGEST_SLICE = 2 ** 30;

/** Searches `start..=end`: the number or -1, and the first candidate that was not covered. */
export async function searchInSlices(
  searcher: Searcher,
  start: number,
  end: number,
  { sliceMs, covered }: SliceOptions,
): Promise<{ number: number; next: number }> {
  let size = FIRST_SLICE;
  let next = start;
  let lastPause = performance.now();
  while (next <= end) {
    const last = Math.min(end, next + size - 1);
    const began = performance.now();
    const number = searcher.run(next, last);
    const now = performance.now();
    // What took no time that the clock shows has no speed to be told.
    const telling = now > began || number >= 0 || last === end;
    const stop = telling && covered((number < 0 ? last : number) - start + 1);
    if (number >= 0) return { number, next };
    // Clocks are coarse (up to 100 ms): never more than four times the last size, whatever was measured.
    const growth = Math.min(4, sliceMs / Math.max(now - began, 0.001));
    size = Math.max(1, Math.min(LARGEST_SLICE, Math.floor((last - next + 1) * growth)));
    next = last + 1;
    if (stop) break;
    // The first slices only find the size; together they fit in one.
    if (next <= end && now - lastPause >= sliceMs / 2) {
      await pause();
      lastPause = performance.now();
    }
  }
  return { number: -1, next };
}

declare const setImmediate: ((run: () => void) => void) | undefined;
declare const scheduler: { yield?: () => Promise<void> } | undefined;

/** Lets everything that waits for this thread go first. Not `setTimeout`, which browsers stretch to 4 ms. */
export async function pause(): Promise<void> {
  // It goes on before messages and timers do, so that it alone would be deaf to an abort.
  if (typeof scheduler === "object") await scheduler.yield?.();
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // jsdom has none.
    if (typeof MessageChannel !== "function") {
      setTimeout(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
