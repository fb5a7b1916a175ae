/** The module translated to JavaScript, where WebAssembly is refused. */
import instantiate from "#javascript";
import type { Load } from "./request-handler.js";

/** Always the same engine; the code is there already. */
export const load: Load = async () => ({ engine: "javascript", exports: instantiate() });
