/** The engine on the page's own thread, where there can be no worker. Loaded only then. */
import { load } from "#load";
import { serve } from "./engine.js";
import type { Report } from "./messages.js";

/** Half a frame: input and paint are never late. */
const SLICE_MS = 8;

/** Starts the engine on this thread. */
export function serveOnPage(post: (report: Report) => void) {
  return serve(load, post, SLICE_MS);
}
