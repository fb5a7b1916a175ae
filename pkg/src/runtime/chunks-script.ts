/** The parts of the package that a classic script loads when they are needed, or has in its own file. */
import { VERSION } from "../common/version.js";
import type * as web from "./chunks.js";
import { beside } from "./script.js";

/** Loads the code for challenges of version 2. */
export const loadKeySearch: typeof web.loadKeySearch = async (assets) => {
  const url = assets("keys.js") ?? beside("keys.js");
  const keys = await import(url);
  if (keys.VERSION !== VERSION)
    throw new Error(`${url} is of version ${keys.VERSION}, the script of ${VERSION}`);
  return keys;
};

/** Part of this file. */
export const loadSearch: typeof web.loadSearch = () => import("#search");
export const loadRequests: typeof web.loadRequests = () => import("#requests");
