/**
 * The engine's side of the messages: loads a module and does what its steps ask for. Runs in a worker; on the page
 * only where there can be no worker.
 */
import { describe } from "../common/describe.js";
import type { Failure } from "../common/errors.js";
import { type Answer, exchange, type NoAnswer } from "./exchange.js";
import type { Challenge, Command, Engine, Range, Report, Request, Value } from "../solver/messages.js";
import { searchInSlices } from "./slices.js";
import { type Exports, type RequestStep, Work } from "./wasm-module.js";

/** A module that is ready to work. */
export interface Loaded {
  engine: Engine;
  exports: Exports;
  /** Why it is not the best engine. */
  reason?: string;
  /** Compiled code that can be handed on to other workers. */
  module?: WebAssembly.Module;
}

/** Why no module is ready. */
export interface LoadFailure extends Error {
  /** A module's file could not be loaded or read; WebAssembly itself is not refused. */
  unloaded: boolean;
}

/** Loads the best module up to the one that is wanted, or uses the one that was handed on. */
export type Load = (start: Extract<Command, { type: "start" }>) => Promise<Loaded>;

/** How often a busy engine says that it is there, in milliseconds. */
const ALIVE_MS = 2_000;
/** A search that took less is not worth a second engine: to start one takes as long. */
const ALONE_MS = 50;
/** Nor is one with less to come. */
const WORTH_MS = 150;

/** An engine to be started by its first command; `post` takes its reports. Returns what takes commands. */
export function serve(
  load: Load,
  post: (report: Report) => void,
  sliceMs: number,
): (command: Command) => void {
  const tasks = new Map<number, Task>();
  let exports: Exports;

  async function start(command: Extract<Command, { type: "start" }>) {
    try {
      const { exports: loaded, ...about } = await load(command);
      exports = loaded;
      post({ type: "started", ...about });
    } catch (error) {
      post({
        type: "broken",
        reason: describe(error),
        unloaded: (error as Partial<LoadFailure>).unloaded === true,
      });
    }
  }

  async function answer(id: number, request: Request) {
    const task = new Task(id, post, sliceMs);
    tasks.set(id, task);
    const alive = setInterval(() => post({ type: "alive" }), ALIVE_MS);
    try {
      post({ type: "done", id, value: await task.carryOut(exports, request) });
    } catch (thrown) {
      post({ type: "failed", id, failure: asFailure(thrown) });
    } finally {
      clearInterval(alive);
      tasks.delete(id);
    }
  }

  return (command) => {
    if (command.type === "start") void start(command);
    else if (command.type === "request") void answer(command.id, command.request);
    else if (command.type === "searched") tasks.get(command.id)?.goOn(command.number ?? -1);
    else if (command.type === "fetched") tasks.get(command.id)?.fetched(command.answer);
    else tasks.get(command.id)?.abort();
  };
}

/** One request under way. */
class Task {
  readonly #id: number;
  readonly #post: (report: Report) => void;
  readonly #sliceMs: number;
  readonly #over = new AbortController();
  /** Goes on with what others found. */
  goOn: (number: number) => void = () => {};
  /** Goes on with what the page's request brought. */
  fetched: (answer: Answer | NoAnswer) => void = () => {};
  /** What the last answer said of a refusal, or why there was none: the module has no use for words. */
  #detail: string | undefined;

  constructor(id: number, post: (report: Report) => void, sliceMs: number) {
    this.#id = id;
    this.#post = post;
    this.#sliceMs = sliceMs;
  }

  abort(): void {
    this.#over.abort();
  }

  async carryOut(exports: Exports, request: Request): Promise<Value> {
    const work =
      request.type === "session"
        ? Work.session(exports, request.options, request.solveOnly)
        : Work.open(exports, request.challenge, request.maxNumber);
    let challenge = request.type === "session" ? undefined : request.challenge;
    try {
      for (;;) {
        if (this.#over.signal.aborted) throw { code: "aborted" } satisfies Failure;
        const step = work.step();
        switch (step.type) {
          case "request":
            this.#state(step.method === "GET" ? "challenge" : "session");
            // Only a session makes requests.
            challenge = await this.#exchange(work, step, request as Extract<Request, { type: "session" }>);
            break;
          case "search": {
            this.#state("solving");
            const lease =
              request.type === "search"
                ? request
                : { start: request.type === "solve" ? request.start : 0, end: step.maxNumber };
            const share = request.type === "search" ? undefined : request.share;
            const number = await this.#search(work, challenge as Challenge, lease, step.able, share);
            if (request.type !== "session") return number < 0 ? null : number;
            work.searched(number);
            break;
          }
          case "wait":
            this.#state("waiting");
            await this.#until((done) => {
              const timer = setTimeout(done, step.ms);
              return () => clearTimeout(timer);
            });
            work.waited();
            break;
          case "failed": {
            const { type, ...failure } = step;
            const told = failure.status !== undefined || failure.code === "network";
            const detail = told ? this.#detail : undefined;
            // What has to be added to the app's list.
            if (failure.code === "origin_not_allowed")
              throw { ...failure, detail: `Origin ${originOf(request)}: ${detail ?? failure.status}` };
            throw detail ? { ...failure, detail } : failure;
          }
          default:
            return step;
        }
      }
    } finally {
      work.close();
    }
  }

  #state(state: Extract<Report, { type: "state" }>["state"]): void {
    this.#post({ type: "state", id: this.#id, state });
  }

  /** Sends a request and tells the module what came back; the body, if it is a JSON object. */
  async #exchange(work: Work, step: RequestStep, request: Extract<Request, { type: "session" }>) {
    if (request.origin) step.headers.Origin = request.origin;
    const answer = request.fetchOnPage
      ? await this.#until<Answer | NoAnswer>((done) => {
          this.fetched = done;
          this.#post({ type: "fetch", id: this.#id, step });
        })
      : await exchange(fetch, step, request.timeoutMs, this.#over.signal);
    if (!("status" in answer)) {
      this.#detail = answer.cause;
      work.unanswered(answer.timedOut);
      return undefined;
    }
    const body = parseObject(answer.text);
    const { detail } = (body ?? {}) as { detail?: unknown };
    this.#detail = typeof detail === "string" ? detail : undefined;
    const dateMs = Date.parse(answer.date ?? "");
    work.responded(answer.status, dateMs, retryAfterMs(answer.retryAfter, dateMs), body);
    return body as Challenge | undefined;
  }

  async #search(
    work: Work,
    challenge: Challenge,
    { start, end }: Range,
    able: 0 | 1,
    share: boolean | undefined,
  ) {
    const began = performance.now();
    const total = end - start + 1;
    let searched = 0;
    let elapsedMs = 0;
    let next = start;
    if (able) {
      const outcome = await searchInSlices(work, start, end, {
        sliceMs: this.#sliceMs,
        covered: (candidates) => {
          searched = candidates;
          elapsedMs = performance.now() - began;
          this.#post({ type: "progress", id: this.#id, searched, total, elapsedMs });
          const worth = elapsedMs > ALONE_MS && ((total - searched) * elapsedMs) / searched > WORTH_MS;
          return this.#over.signal.aborted || (share === true && worth);
        },
      });
      if (outcome.number >= 0 || outcome.next > end) return outcome.number;
      next = outcome.next;
    }
    const rest = { start: next, end, searched, elapsedMs };
    return this.#until<number>((done) => {
      this.goOn = done;
      this.#post({ type: "share", id: this.#id, challenge, ...rest });
    });
  }

  /** Waits for a callback, or for the abort. */
  #until<T>(begin: (done: (value: T) => void) => (() => void) | void): Promise<T> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#over;
      const onAbort = () => {
        end?.();
        reject({ code: "aborted" } satisfies Failure);
      };
      const end = begin((value) => {
        signal.removeEventListener("abort", onAbort);
        resolve(value);
      });
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort);
    });
  }
}

/** The origin that the server was told: a page's own, `null` in a sandboxed frame, none at all in Node. */
function originOf(request: Request): string {
  const named = request.type === "session" ? request.origin : undefined;
  return named ?? globalThis.origin ?? "(none was sent)";
}

/** RFC 9110, 10.2.3: seconds, or a date by the server's clock; NaN if it is neither. */
function retryAfterMs(value: string | null, serverMs: number): number {
  if (value === null) return Number.NaN;
  return /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - (serverMs || Date.now());
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What a task throws is a Failure already, or a fault of ours. */
function asFailure(thrown: unknown): Failure {
  const known = "code" in Object(thrown) && !(thrown instanceof Error);
  return known ? (thrown as Failure) : { code: "engine_failed", detail: describe(thrown) };
}
