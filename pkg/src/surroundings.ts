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

/** A tab that was put to sleep with the lock must not hold the others for ever, in milliseconds. */
const LONGEST_WAIT_MS = 15_000;

/** Runs `work` while no other tab of the site runs it, where the browser has locks. */
export async function alone<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return work();
  const waiting = new AbortController();
  const giveUp = () => waiting.abort();
  const timer = setTimeout(giveUp, LONGEST_WAIT_MS);
  signal.addEventListener("abort", giveUp);
  let begun: Promise<T> | undefined;
  const begin = () => {
    clearTimeout(timer);
    begun = work();
    return begun;
  };
  try {
    return (await locks.request(name, { signal: waiting.signal }, begin)) as T;
  } catch (error) {
    // Refused (a sandboxed frame), or waited for too long: better twice than never.
    if (begun || signal.aborted) throw error;
    return work();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}
