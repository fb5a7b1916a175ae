/**
 * Sessions for chat widgets behind a proof of work: fetches the challenge, solves it with WebAssembly in a
 * Web Worker, requests the session token. Importing this starts nothing.
 *
 * @module
 */
export { type CallOptions, type Client, type ClientOptions, createClient } from "./client.js";
export type { ClientEvent } from "./events.js";
export { ERROR_CODES, type ErrorCode, type Failure, SaltmineError } from "./errors.js";
export type { Backend, Challenge, Engine } from "./messages.js";
export type { Progress } from "./progress.js";
export type { Session, StorageKind } from "./session.js";
export { type SolveOptions, type SolveResult, solve } from "./solve.js";
export { VERSION } from "./version.js";
