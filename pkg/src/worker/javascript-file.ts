/**
 * The published `javascript.js`. A bundler that knows it only by its address may leave its exports out (Parcel does), so
 * the loader also finds them under a symbol of this version, and removes it.
 */
import { JAVASCRIPT_KEY } from "./load.js";
import { load, searchWithWebCrypto } from "./javascript.js";

export { load, searchWithWebCrypto };

Object.assign(globalThis, { [JAVASCRIPT_KEY]: { load, searchWithWebCrypto } });
