/** Aborts as the platform does it: what was aborted rejects with the signal's reason. */

/**
 * Aborts with a reason. Browsers from before 2022 ignore the argument of `abort`, and their signals have no reason: it
 * becomes a property of the signal, which every chunk and the caller's own functions can read.
 */
export function abortWith(controller: AbortController, reason: unknown): void {
  const { signal } = controller;
  // The first reason counts.
  if (signal.aborted) return;
  Object.defineProperty(signal, "reason", { value: reason });
  controller.abort(reason);
}

/** Returns the reason of an aborted signal. Browsers from before 2022 have signals without one. */
export function abortReason(signal: AbortSignal): unknown {
  const { reason } = signal;
  return reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
}

/** Resolves as the promise does, or rejects with the signal's reason, whichever comes first. */
export function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort?: () => void,
): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      reject(abortReason(signal));
      onAbort?.();
    };
    if (signal.aborted) {
      // How the promise settles no longer matters.
      promise.catch(() => {});
      return giveUp();
    }
    signal.addEventListener("abort", giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
