/** What challenges of version 2 need: a chunk of its own, loaded with the first of them. */
export { solveAlone } from "./solve-alone.js";
export { prepareForFlow, solveForFlow } from "./solve-for-flow.js";
export { VERSION } from "../common/version.js";
