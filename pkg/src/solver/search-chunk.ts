/**
 * The code for a search with several engines, and for a caller's own challenge: a separate chunk, loaded with the first
 * of them. It must not import modules that the package's entry point contains already.
 */
export { ParallelSearch } from "./parallel-search.js";
export { solveOnce } from "./solve-challenge.js";
