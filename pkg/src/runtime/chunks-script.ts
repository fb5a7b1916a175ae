/** The parts of the package that a classic script loads when they are needed, or has in its own file. */
import type * as web from "./chunks.js";
import { beside } from "./script.js";

/** Loads what challenges of version 2 need. */
export const loadKeySearch: typeof web.loadKeySearch = (assets) =>
  import(assets("keys.js") ?? beside("keys.js"));

/** Part of this file. */
export const loadSearch: typeof web.loadSearch = () => import("#search");
export const loadRequests: typeof web.loadRequests = () => import("#requests");
