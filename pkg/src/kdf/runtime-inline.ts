/** The one-file entry point: all of the code for the derivation of keys is in the file. */
import * as pageEngine from "./page-engine.js";

export { machineMemory, threadCount } from "./runtime-web.js";

/** The engine without a worker: a part of this file. */
export const loadKeyPageEngine = async () => pageEngine;
