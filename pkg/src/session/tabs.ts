/** The other tabs of the site: one works at a time, through the Web Locks API, and each reacts to what another has stored. */
import { isHidden } from "./environment.js";

/** The maximum wait for the lock, in milliseconds: a tab that sleeps may hold it for ever. */
const MAX_WAIT_MS = 15_000;
/** How long the lock is held after a session was stored: other tabs see it later than the release of the lock. */
const PROPAGATION_MS = 200;

/**
 * Runs `work` while no other tab of the site runs it, where the browser has the Web Locks API. After `work` has called
 * `stored`, the lock is released only when the other tabs can see what was stored; the result does not wait for that.
 * An abort runs `work` without the lock: it must reject by itself.
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
  // A signal that is aborted already fires no event: the work rejects by itself.
  if (!locks || signal.aborted) return work(stored);
  return new Promise((resolve) => {
    const waiting = new AbortController();
    let begun = false;
    const withoutLock = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      if (!begun) resolve(work(stored));
      begun = true;
    };
    // Not left to the lock manager: Chromium ignores an abort in the task that made the request.
    const giveUp = () => {
      waiting.abort();
      withoutLock();
    };
    const timer = setTimeout(giveUp, MAX_WAIT_MS);
    signal.addEventListener("abort", giveUp);
    const begin = async () => {
      if (begun) return;
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
    // Where it is refused (a sandboxed frame), or after too long a wait, two requests are better than none.
    locks.request(name, { signal: waiting.signal }, begin).catch(withoutLock);
  });
}

/** Calls `onWake` when the tab becomes visible and `onStored` when another tab has changed `key`; an abort ends this. */
export function listenToTabs(
  key: string,
  signal: AbortSignal,
  { onWake, onStored }: { onWake(): void; onStored(): void },
): void {
  const wake = () => {
    if (!isHidden()) onWake();
  };
  globalThis.document?.addEventListener("visibilitychange", wake, { signal });
  const stored = (event: StorageEvent) => {
    // A null key is a store that was cleared as a whole.
    if (event.key === key || event.key === null) onStored();
  };
  globalThis.addEventListener?.("storage", stored, { signal });
}
