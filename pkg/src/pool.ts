/** Engines that have proved themselves, kept for a while between two searches. */
import { connect, type Wanted } from "./ladder.js";
import type { Link } from "./link.js";

/** An engine that nobody has needed for this long is ended. */
const IDLE_MS = 5_000;

interface Idle {
  link: Link;
  wanted: Wanted;
  timer: ReturnType<typeof setTimeout>;
}

const idle = new Set<Idle>();

/** An engine of one's own until it is given back. */
export async function takeLink(wanted: Wanted, signal: AbortSignal): Promise<Link> {
  for (const waiting of idle) {
    if (waiting.wanted !== wanted) continue;
    idle.delete(waiting);
    clearTimeout(waiting.timer);
    if (!waiting.link.usable) continue;
    waiting.link.keepAlive(true);
    return waiting.link;
  }
  return connect(wanted, signal);
}

/** Gives an engine back that is at rest. */
export function giveBack(link: Link, wanted: Wanted): void {
  if (!link.usable) return;
  const timer = setTimeout(() => {
    idle.delete(waiting);
    link.close({ code: "disposed" });
  }, IDLE_MS);
  const waiting: Idle = { link, wanted, timer };
  idle.add(waiting);
  // An engine that rests does not keep a Node process alive, nor does its timer.
  link.keepAlive(false);
  if (typeof timer === "object") (timer as { unref?: () => void }).unref?.();
}
