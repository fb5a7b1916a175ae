/**
 * Sessions for chat widgets behind a proof of work: fetches the challenge, solves it with WebAssembly in a
 * Web Worker, requests the session token. Importing this starts nothing.
 *
 * @module
 */
export { type CallOptions, type Client, createClient } from "./session/client.js";
export type { ClientOptions } from "./session/client-options.js";
export type { AssetFile, AssetsUrl } from "./common/assets.js";
export type { ClientState } from "./session/state.js";
export type { ClientEvent } from "./session/events.js";
export { ERROR_CODES, type ErrorCode, type Failure, SaltmineError } from "./common/errors.js";
export type { Backend, Challenge, Engine } from "./solver/types.js";
export type { ChallengeParameters, ChallengeV2 } from "./kdf/challenge.js";
export type { Progress, ProgressV2 } from "./solver/progress.js";
export type { AuthTokenContext, GetAuthToken } from "./session/client-options.js";
export type { KeyValueStore, StorageKind } from "./session/store.js";
export type { Session } from "./session/token.js";
export { solve } from "./solver/solve.js";
export type { SolveOptions, SolveOptionsV2, SolveResult, SolveResultV2 } from "./solver/solve-types.js";
export { VERSION } from "./common/version.js";
