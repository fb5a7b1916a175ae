/** The engine on the page's own thread, where there can be no worker. Loaded only then. */
import { load } from "#load";
import type { Report } from "../solver/messages.js";
import { serveOnPage as serveWith } from "./serve-on-page.js";

/** Starts the engine on this thread. */
export const serveOnPage = (post: (report: Report) => void) => serveWith(post, load);
