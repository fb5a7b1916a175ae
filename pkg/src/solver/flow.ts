/** The interface of a flow: its routes, its options and its result. */
import type { Assets } from "../common/assets.js";
import type { ModuleName } from "../kdf/challenge.js";
import type { Grant, SessionOptions, Solved } from "../worker/wasm.js";
import type { Update } from "./messages.js";
import type { MeasuredSearch } from "./progress.js";
import type { Backend, Engine } from "./types.js";

/** The challenge's route, which names the app. */
export const NEWER_PATH = "/run/auth/challenge";
/** The challenge's route without the app's id. */
export const OLDER_PATH = "/run/auth/pow/challenge";

/** The options that all flows of a client share. */
export interface FlowRunnerOptions {
  flow: Pick<SessionOptions, "baseUrl" | "appPath" | "maxNumber">;
  origin: string | undefined;
  timeoutMs: number;
  workers: number;
  /** The maximum number of workers that derive keys; chosen by the machine when undefined. */
  keyWorkers: number | undefined;
  /** The best engine to use for the derivation of keys. */
  keyEngine: Exclude<Engine, "javascript"> | undefined;
  assets: Assets;
  fetch: typeof fetch | undefined;
}

/** One flow. */
export interface Run {
  /** The current token, so that the visitor keeps their identity. */
  token?: string | undefined;
  /** A solution that was prepared ahead. */
  solution?: string | undefined;
  /** Ends with a solution instead of a session. */
  solveOnly: boolean;
  /** The paths of the challenge, in the order in which they are tried while the service responds 404. */
  challengePaths?: readonly string[];
  /** The module of version 2 that the challenge is expected to need: what it needs is started at once. */
  expectedKeyModule?: ModuleName | undefined;
  /** Whether proof of work was off the last time: no engine is started before there is a challenge. */
  mayBeOff?: boolean;
  /** Returns the number of workers of a long search; the client's maximum when absent. */
  workers?: () => number;
  signal: AbortSignal;
  onState(state: Extract<Update, { type: "state" }>["state"], backend: Backend | undefined): void;
  onProgress(measured: MeasuredSearch): void;
}

/** The result of a flow. */
export interface Outcome {
  value: Grant | Solved;
  /** The module that the challenge needed, if it was of version 2; undefined also if none was requested. */
  keyModule?: ModuleName | undefined;
  /** The engine of the search, or of the flow if there was no search; undefined if no engine was needed. */
  backend: Backend | undefined;
  /** The search, if there was one. */
  measured: MeasuredSearch | undefined;
}

/** Runs flows. */
export interface Flow {
  run(run: Run): Promise<Outcome>;
}
