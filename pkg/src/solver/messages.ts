/**
 * The messages between the page and an engine, in a worker or on the page: one tagged union in each direction.
 * Requests carry an id; an engine sends exactly one `done` or `failed` for each.
 */
import type { Failure } from "../common/errors.js";
import type {
  Grant,
  HttpRequest,
  HttpResponse,
  NoResponse,
  SessionOptions,
  SolutionV2,
  Solved,
} from "../worker/wasm.js";
import type { Challenge, Engine } from "./types.js";

export type { Backend, Challenge, Engine } from "./types.js";

/** The engines that run the flow and the searches of version 1. */
export type ClientEngine = Exclude<Engine, "webcrypto">;

/** A range of a challenge, handed out to be searched. */
export interface Range {
  start: number;
  end: number;
}

/** A request to an engine. */
export type Request =
  /** The whole flow, to a session or to a solution. */
  | {
      type: "session";
      options: SessionOptions;
      /** The `Origin` to send, where the runtime sends none by itself. */
      origin: string | undefined;
      timeoutMs: number;
      share: boolean;
      /** Whether the page sends the requests. */
      fetchOnPage: boolean;
    }
  /** A challenge that the caller received; done with the number or null. */
  | { type: "solve"; challenge: Challenge; start: number; maxNumber: number; share: boolean }
  /** A part of a challenge; done with the number or null. */
  | ({ type: "search"; challenge: Challenge; maxNumber: number } & Range);

/** The result of a request. */
export type Value = Grant | Solved | number | null;

/** Page to engine. */
export type Command =
  /** The first message, sent once: loads the best engine, but no better one than requested; `module` is its code. */
  | {
      type: "start";
      engine: Engine | undefined;
      module: WebAssembly.Module | undefined;
      /** The bytes of `simd128.wasm`, where the page has requested them ahead. */
      wasm: ArrayBuffer | undefined;
      /** The addresses of the engine's files, where the page knows them. */
      urls: { readonly [Name in ClientEngine]: string | undefined };
    }
  | { type: "request"; id: number; request: Request }
  /** The result of a `share`, `fetch` or `solve_v2`. */
  | { type: "answer"; id: number; answer: number | null | HttpResponse | NoResponse | SolutionV2 }
  /** Aborts the request with the id. */
  | { type: "abort"; id: number };

/** A report of an engine on a running request. */
export type Update =
  | { type: "state"; id: number; state: "challenge" | "solving" | "waiting" | "session" }
  /** Candidates searched since the request began, of how many. */
  | { type: "progress"; id: number; searched: number; total: number; elapsedMs: number };

/**
 * The rest of a search that is long enough for more than one engine, or all of one that this engine cannot do: the request resumes
 * when `searched` says what was found.
 */
export interface Share extends Range {
  type: "share";
  id: number;
  challenge: Challenge;
  /** Candidates searched in how many milliseconds; none if the engine does not have the hash function. */
  searched: number;
  elapsedMs: number;
}

/** Engine to page. */
export type Report =
  /** `version` of the package that the engine's script is from. */
  | { type: "started"; version: string; engine: Engine; reason?: string; module?: WebAssembly.Module }
  /** `unloaded`: the file could not be loaded, so that the same engine may run in another thread. */
  | { type: "broken"; reason: string; unloaded: boolean }
  /** Sent every few seconds while a request runs. */
  | { type: "alive" }
  | Update
  | Share
  /** A request that the page sends. */
  | { type: "fetch"; id: number; step: HttpRequest }
  /** A challenge of version 2 that the page solves. */
  | { type: "solve_v2"; id: number; challenge: string; limitMs: number | undefined }
  | { type: "done"; id: number; value: Value }
  | { type: "failed"; id: number; failure: Failure };
