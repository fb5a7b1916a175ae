import { VERSION } from "../common/version.js";

/** The key under which `javascript.js` leaves its functions for the loader. */
export const JAVASCRIPT_KEY: unique symbol = Symbol.for(`saltmine ${VERSION} javascript`) as never;
