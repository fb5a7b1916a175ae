/**
 * The parts of the package that are loaded when they are needed. Not with the rest of the runtime, which they import
 * themselves.
 */
import type { Assets } from "../common/assets.js";

/** Loads what several engines need, and only then. */
export const loadSearch = () => import("#search");

/** Loads what challenges of version 2 need, which a bundler has made a part of the page's own scripts. */
export const loadKeySearch = (_assets: Assets) => import("#keys");

/** Loads what a caller's own requests need. */
export const loadRequests = () => import("#requests");
