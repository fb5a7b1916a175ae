/** The code for challenges of version 2: a separate chunk, loaded with the first of them. */
export { solveAlone } from "./solve-alone.js";
export { prepareForFlow, solveForFlow } from "./solve-for-flow.js";
export { VERSION } from "../common/version.js";
