/** The interface of a running engine to its owner: each request gets one response. */
import type { Thread } from "../runtime/types.js";
import { abortReason } from "../common/abort.js";
import { type Failure, SaltmineError } from "../common/errors.js";
import type { Backend, Command, Report, Request, Share, Update, Value } from "./messages.js";
import type { HttpRequest, HttpResponse, NoResponse, SolutionV2 } from "../worker/wasm.js";

/** The time between two checks of a busy engine, in milliseconds. The engine sends a report every 2 s. */
const WATCH_MS = 5_000;

/** The options of a request. */
export interface RequestCallbacks {
  signal?: AbortSignal | undefined;
  onUpdate?: ((update: Update) => void) | undefined;
  /** Searches the range that the engine shares; returns the number, or null. */
  onShare?: ((share: Share) => Promise<number | null>) | undefined;
  /** Sends a request for the engine; `onError` receives what was thrown. */
  onFetch?:
    | ((step: HttpRequest, onError: (thrown: unknown) => void) => Promise<HttpResponse | NoResponse>)
    | undefined;
  /** Solves a challenge of version 2 for the engine. */
  onSolveV2?: ((challenge: string, limitMs: number | undefined) => Promise<SolutionV2 | null>) | undefined;
}

type Started = Extract<Report, { type: "started" }>;

interface Pending extends RequestCallbacks {
  resolve(value: Value): void;
  reject(error: unknown): void;
  /** The error of the last `onFetch` that failed: the engine has only its text. */
  thrown?: unknown;
}

/** A running engine. */
export class WorkerClient {
  readonly backend: Backend;
  /** The engine's first message; its compiled code is for the next engine of this kind. */
  readonly started: Started;
  readonly #thread: Thread;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #closed: SaltmineError | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #silentTicks = 0;

  constructor(thread: Thread, backend: Backend, started: Started) {
    this.#thread = thread;
    this.backend = backend;
    this.started = started;
  }

  /** Whether the engine accepts requests. */
  get usable(): boolean {
    return this.#closed === undefined;
  }

  /** Sends a request and waits for its response. */
  request(request: Request, callbacks: RequestCallbacks = {}): Promise<Value> {
    const { signal } = callbacks;
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      if (signal?.aborted) return reject(abortReason(signal));
      const id = ++this.#lastId;
      const onAbort = () => {
        this.#thread.post({ type: "abort", id });
        settle(reject)(abortReason(signal as AbortSignal));
      };
      const settle =
        <T>(end: (value: T) => void) =>
        (value: T) => {
          this.#pending.delete(id);
          if (this.#pending.size === 0) clearInterval(this.#watch);
          signal?.removeEventListener("abort", onAbort);
          end(value);
        };
      signal?.addEventListener("abort", onAbort);
      if (this.#pending.size === 0) this.#startWatch();
      this.#pending.set(id, { ...callbacks, resolve: settle(resolve), reject: settle(reject) });
      this.#thread.post({ type: "request", id, request });
    });
  }

  /** Sets whether the process waits for the engine: not while it is idle. */
  keepAlive(on: boolean): void {
    this.#thread.keepAlive?.(on);
  }

  /** Handles the engine's reports. */
  take(report: Report): void {
    this.#silentTicks = 0;
    if (!("id" in report)) return;
    const { id } = report;
    const pending = this.#pending.get(id);
    if (!pending) return;
    const fail = (error: unknown) => {
      this.#thread.post({ type: "abort", id });
      pending.reject(error);
    };
    const answer = (promise: Promise<Extract<Command, { type: "answer" }>["answer"]> | undefined) =>
      promise?.then((answer) => this.#thread.post({ type: "answer", id, answer }), fail);
    switch (report.type) {
      case "done":
        return pending.resolve(report.value);
      case "failed":
        return pending.reject(
          new SaltmineError(report.failure, report.failure.code === "network" ? pending.thrown : undefined),
        );
      case "share":
        return void answer(pending.onShare?.(report));
      case "fetch":
        return void answer(pending.onFetch?.(report.step, (thrown) => (pending.thrown = thrown)));
      case "solve_v2":
        return void answer(pending.onSolveV2?.(report.challenge, report.limitMs));
      default:
        pending.onUpdate?.(report);
    }
  }

  /** Ends the engine; its pending requests fail with `failure`. */
  close(failure: Failure): void {
    if (this.#closed) return;
    this.#closed = new SaltmineError(failure);
    // An engine on the page has no thread that can be terminated: it has to receive the message.
    for (const id of this.#pending.keys()) this.#thread.post({ type: "abort", id });
    this.#thread.terminate();
    for (const pending of [...this.#pending.values()]) pending.reject(this.#closed);
  }

  /** Checks a busy engine. A machine that slept misses checks, but no reports: only several in a row are a failure. */
  #startWatch(): void {
    this.#silentTicks = 0;
    this.#watch = setInterval(() => {
      this.#silentTicks += 1;
      if (this.#silentTicks > 2) this.close({ code: "engine_failed", detail: "The engine fell silent." });
    }, WATCH_MS);
  }
}
