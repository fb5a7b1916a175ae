/**
 * Calls a caller's listener. An error that it throws is reported as an uncaught error, and does not reach the caller of
 * this function.
 */
export function tell<T>(listener: ((value: T) => void) | undefined, value: T): void {
  try {
    listener?.(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
