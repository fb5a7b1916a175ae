/** What the page around a client is like, where there is a page. */

/** Whether nobody is looking. */
export const isHidden = (): boolean => globalThis.document?.visibilityState === "hidden";

/** Whether work ahead of time is unwelcome: nobody is looking, or the visitor saves data. */
export function isFrugal(): boolean {
  const { connection } = (globalThis.navigator ?? {}) as { connection?: { saveData?: boolean } };
  return isHidden() || connection?.saveData === true;
}

/** A timer that keeps no Node process alive. Longer than timers can be is split. */
export function later(ms: number, run: () => void): ReturnType<typeof setTimeout> {
  const timer = setTimeout(run, Math.max(0, Math.min(ms, 2 ** 31 - 1)));
  if (typeof timer === "object") (timer as { unref?: () => void }).unref?.();
  return timer;
}
