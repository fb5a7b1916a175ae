/**
 * Calls a caller's listener. An error that it throws is the listener's own: it is reported where uncaught errors are
 * shown, and nothing here stops for it.
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
