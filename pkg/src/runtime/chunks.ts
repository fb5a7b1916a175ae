/**
 * The parts of the package that are loaded when they are needed. Not with the rest of the runtime, which they import
 * themselves.
 */

/** Loads what several engines need, and only then. */
export const loadSearch = () => import("#search");

/** Loads what challenges of version 2 need. */
export const loadKeySearch = () => import("#keys");

/** Loads what a caller's own requests need. */
export const loadRequests = () => import("#requests");
