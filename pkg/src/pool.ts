/** Engines that have proved themselves, kept for a while between two searches. */
import { connect, type Link } from "./link.js";

/** An engine that nobody has needed for this long is ended. */
const IDLE_MS = 5_000;

interface Idle {
  link: Link;
  timer: ReturnType<typeof setTimeout>;
}

const idle: Idle[] = [];

/** An engine of one's own until it is given back. */
export async function takeLink(signal: AbortSignal): Promise<Link> {
  for (let waiting = idle.pop(); waiting; waiting = idle.pop()) {
    clearTimeout(waiting.timer);
    if (waiting.link.usable) return waiting.link;
  }
  return connect(signal);
}

/** Gives an engine back that is at rest. */
export function giveBack(link: Link): void {
  if (!link.usable) return;
  const timer = setTimeout(() => {
    idle.splice(
      idle.findIndex((waiting) => waiting.link === link),
      1,
    );
    link.close({ code: "disposed" });
  }, IDLE_MS);
  // In Node an idle engine does not keep the process alive.
  if (typeof timer === "object") (timer as { unref?: () => void }).unref?.();
  idle.push({ link, timer });
}
