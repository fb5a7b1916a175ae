/** The events of the page that concern a session: the tab becomes visible, another tab has stored something. */
import { isHidden } from "./environment.js";

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
