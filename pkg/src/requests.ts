/**
 * What a client needs for requests of its caller's own: a chunk of its own, loaded with the first of them. It must not
 * import what the package's door holds already.
 */
export { exchange } from "./exchange.js";
export { Solutions } from "./solutions.js";
