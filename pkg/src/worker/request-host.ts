/** The functions of the environment that the wasm module calls, for one request of the page. */
import type { Failure } from "../common/errors.js";
import type { Report, Request } from "../solver/messages.js";
import type { Host, HttpResponse, NoResponse, SearchRest, SolutionV2 } from "./wasm.js";

declare const setImmediate: ((run: () => void) => void) | undefined;
declare const scheduler: { yield?: () => Promise<void> } | undefined;

/** Pauses between two slices of a search: runs everything that waits for this thread first. Not `setTimeout`, which browsers stretch to 4 ms. */
export async function pause(): Promise<void> {
  // It resumes before messages and timers are handled, so that with only this an abort would not be noticed.
  if (typeof scheduler === "object") await scheduler.yield?.();
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // jsdom has none.
    if (typeof MessageChannel !== "function") {
      setTimeout(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Searches with a hash function that the engine lacks. */
export type SearchElsewhere = (rest: SearchRest, host: Host) => Promise<number | null>;

/** The page's answer to a question. */
type Answer = number | null | HttpResponse | NoResponse | SolutionV2;

/** A running request. */
export class RequestHost implements Host {
  readonly sliceMs: number;
  readonly timeoutMs: number;
  readonly origin: string | undefined;
  readonly sharing: boolean;
  readonly request: Host["request"];
  readonly solveV2: Host["solveV2"];
  readonly #id: number;
  readonly #post: (report: Report) => void;
  readonly #elsewhere: SearchElsewhere | undefined;
  readonly #controller = new AbortController();
  #answer: (answer: Answer) => void = () => {};

  constructor(
    id: number,
    request: Request,
    post: (report: Report) => void,
    sliceMs: number,
    elsewhere: SearchElsewhere | undefined,
  ) {
    this.#id = id;
    this.#post = post;
    this.sliceMs = sliceMs;
    this.#elsewhere = elsewhere;
    this.sharing = request.type !== "search" && request.share;
    const session = request.type === "session" ? request : undefined;
    this.timeoutMs = session?.timeoutMs ?? 0;
    this.origin = session?.origin;
    if (session?.fetchOnPage) this.request = (step) => this.#ask({ type: "fetch", id, step });
    if (session)
      this.solveV2 = (challenge, limitMs) => this.#ask({ type: "solve_v2", id, challenge, limitMs });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  state(state: Extract<Report, { type: "state" }>["state"]): void {
    this.#post({ type: "state", id: this.#id, state });
  }

  progress(searched: number, total: number, elapsedMs: number): void {
    this.#post({ type: "progress", id: this.#id, searched, total, elapsedMs });
  }

  pause(): Promise<void> {
    return pause();
  }

  share(rest: SearchRest): Promise<number | null> {
    if (rest.elapsedMs === 0 && this.#elsewhere) return this.#elsewhere(rest, this);
    return this.#ask({ type: "share", id: this.#id, ...rest });
  }

  /** Receives the page's answer. */
  answer(answer: Answer): void {
    this.#answer(answer);
  }

  abort(): void {
    this.#controller.abort();
    // Nobody waits for it, but an unsettled promise is never freed.
    this.#answer(null);
  }

  /** Asks the page; one question at a time. */
  #ask<T extends Answer>(question: Report): Promise<T> {
    return new Promise((resolve) => {
      this.#answer = resolve as (answer: Answer) => void;
      this.#post(question);
    });
  }
}

/** Returns the origin that the server receives: the page's own, `null` in a sandboxed frame, none in Node. */
export function withOrigin(failure: Failure, origin: string | undefined): Failure {
  if (failure.code !== "origin_not_allowed") return failure;
  const sent = origin ?? globalThis.origin ?? "(none was sent)";
  return { ...failure, detail: `Origin ${sent}: ${failure.detail ?? failure.status}` };
}
