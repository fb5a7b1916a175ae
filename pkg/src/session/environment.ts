/** The state of the page around a client, where there is a page. */

/** Whether the page is hidden. */
export const isHidden = (): boolean => globalThis.document?.visibilityState === "hidden";

/** Whether no work is done in advance: the page is hidden, or the visitor saves data. */
export function isFrugal(): boolean {
  const { connection } = (globalThis.navigator ?? {}) as { connection?: { saveData?: boolean } };
  return isHidden() || connection?.saveData === true;
}

/** Starts a timer that does not keep a Node process alive. A time that is too long for a timer is shortened. */
export function later(ms: number, run: () => void): ReturnType<typeof setTimeout> {
  const timer = setTimeout(run, Math.max(0, Math.min(ms, 2 ** 31 - 1)));
  if (typeof timer === "object") (timer as { unref?: () => void }).unref?.();
  return timer;
}
