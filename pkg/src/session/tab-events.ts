/** The events of the page that concern a session: the visitor looks at the tab again, another tab has stored something. */
import { isHidden } from "./environment.js";

/** Calls `onWake` when the tab is looked at, and `onStored` when another tab has changed `key`, until the signal aborts. */
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
