/**
 * Tells a caller's listener. What it throws is the listener's own fault: it is shown where uncaught errors are
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
