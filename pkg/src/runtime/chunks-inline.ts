/** The parts of the package that the one-file entry point contains. */
import * as requests from "../api/caller-requests.js";
import * as keys from "../kdf/keys-chunk.js";
import * as search from "../solver/search-chunk.js";
import type * as web from "./chunks.js";

export const loadKeySearch: typeof web.loadKeySearch = async () => keys;
export const loadSearch: typeof web.loadSearch = async () => search;
export const loadRequests: typeof web.loadRequests = async () => requests;
