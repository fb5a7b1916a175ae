/** Derives keys on the page's own thread, where there can be no worker: a pause after each block. */
import type { KeyCommand, KeyReport } from "./messages.js";
import { serveKeys } from "./serve.js";

/** Starts the engine on this thread. */
export function serveKeysOnPage(post: (report: KeyReport) => void): (command: KeyCommand) => void {
  return serveKeys((report) => setTimeout(() => post(report)));
}
