/**
 * What a search needs beyond one engine, and what a caller's own challenge needs: a chunk of its own, loaded with the
 * first of them. It must not import what the package's entry point contains already.
 */
export { ParallelSearch } from "./parallel-search.js";
export { solveOnce } from "./solve-challenge.js";
