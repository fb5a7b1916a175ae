/** One tab at a time, through the Web Locks API. */

/** A tab that was put to sleep with the lock must not hold the others for ever, in milliseconds. */
const LONGEST_WAIT_MS = 15_000;
/** What a tab stores is seen by the others later than the end of its lock, in milliseconds. */
const PROPAGATION_MS = 200;

/**
 * Runs `work` while no other tab of the site runs it, where the browser has locks. When it `stored` something, the
 * others are let in only after they can see that; nobody here waits for it, and an abort ends it.
 */
export function withTabLock<T>(
  name: string,
  signal: AbortSignal,
  work: (stored: () => void) => Promise<T>,
): Promise<T> {
  let holdMs = 0;
  const stored = () => {
    holdMs = PROPAGATION_MS;
  };
  const locks = globalThis.navigator?.locks;
  if (!locks) return work(stored);
  return new Promise((resolve) => {
    const waiting = new AbortController();
    const giveUp = () => waiting.abort();
    const timer = setTimeout(giveUp, LONGEST_WAIT_MS);
    signal.addEventListener("abort", giveUp);
    let begun = false;
    const begin = async () => {
      begun = true;
      clearTimeout(timer);
      const working = work(stored);
      resolve(working);
      await working;
      if (holdMs && !signal.aborted)
        await new Promise<void>((release) => {
          const held = setTimeout(release, holdMs);
          signal.addEventListener("abort", () => {
            clearTimeout(held);
            release();
          });
        });
    };
    locks.request(name, { signal: waiting.signal }, begin).catch(() => {
      clearTimeout(timer);
      // Refused (a sandboxed frame), or waited for too long: better twice than never. An abort is heard in the work.
      if (!begun) resolve(work(stored));
    });
  });
}
