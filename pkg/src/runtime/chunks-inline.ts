/** The parts of the package that the one file has in it. */
import * as requests from "../api/caller-requests.js";
import * as search from "../solver/search-chunk.js";
import type * as web from "./chunks.js";

/** Fails: the modules for challenges of version 2 would double the file. */
export const loadKeySearch: typeof web.loadKeySearch = () =>
  Promise.reject(
    new Error("challenges of version 2 are not part of saltmine/inline: import solve from saltmine"),
  );
export const loadSearch: typeof web.loadSearch = async () => search;
export const loadRequests: typeof web.loadRequests = async () => requests;
