/**
 * The parts of the package that are loaded when they are needed. A module of its own, because these parts import the
 * rest of the runtime.
 */
import type { Assets } from "../common/assets.js";

/** Loads the code for searches with several engines. */
export const loadSearch = () => import("#search");

/** Loads the code for challenges of version 2, which a bundler has made a part of the page's own scripts. */
export const loadKeySearch = (_assets: Assets) => import("#keys");

/** Loads the code for a caller's own requests. */
export const loadRequests = () => import("#requests");
