/** Pauses between two slices of a search. */

declare const setImmediate: ((run: () => void) => void) | undefined;
declare const scheduler: { yield?: () => Promise<void> } | undefined;

/** Runs everything that waits for this thread first. Not `setTimeout`, which browsers stretch to 4 ms. */
export async function pause(): Promise<void> {
  // It resumes before messages and timers are handled, so that with only this an abort would not be noticed.
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
