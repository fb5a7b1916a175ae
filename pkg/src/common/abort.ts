/** Aborts as the platform does it: what was aborted rejects with the signal's reason. */

/** Returns the reason of an aborted signal. Safari 15.0 to 15.3 has signals without one. */
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
