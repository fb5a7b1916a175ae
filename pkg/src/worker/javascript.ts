/**
 * The module translated to JavaScript, for where WebAssembly is refused: a file of its own, with glue of its own.
 */
import instantiate from "#javascript";
import { connect } from "./client-module.js";
export { searchWithWebCrypto } from "./web-crypto.js";

/** Returns the instance. */
export const load = () => connect("javascript", instantiate);
