import { SaltmineError } from "./errors.js";

/** The abort of a signal as our error, its own reason as the cause. */
export function abortError(signal: AbortSignal): SaltmineError {
  return signal.reason instanceof SaltmineError
    ? signal.reason
    : new SaltmineError({ code: "aborted" }, signal.reason);
}

/** A promise, or the abort of the signal, whichever comes first. */
export function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort?: () => void,
): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      reject(abortError(signal));
      onAbort?.();
    };
    if (signal.aborted) {
      // The promise's own end no longer matters.
      promise.catch(() => {});
      return giveUp();
    }
    signal.addEventListener("abort", giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
