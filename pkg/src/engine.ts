/**
 * The engine's side of the messages: loads the wasm variant that this runtime can run and carries out
 * commands. Runs in a worker; on the page only where there can be no worker.
 */
import { loadEngine, Search, session } from "#platform";
import { describe } from "./describe.js";
import type { Failure } from "./errors.js";
import type { Command, Engine, Report, SessionGrant } from "./messages.js";
import { searchInSlices } from "./slices.js";

type Request = Extract<Command, { type: "session" | "open" | "search" }>;

/** What the wasm throws when its build does not have the hash function. */
const LACKS_ALGORITHM = "engine_lacks_algorithm";

/** An engine to be started by its first command; `post` takes its reports. Returns what takes commands. */
export function serve(post: (report: Report) => void, sliceMs: number): (command: Command) => void {
  const tasks = new Map<number, Task>();
  const opened = new Map<number, Search>();

  async function start(wanted: Engine | undefined) {
    try {
      post({ type: "started", engine: await loadEngine(wanted) });
    } catch (error) {
      post({ type: "broken", reason: describe(error) });
    }
  }

  async function carryOut(request: Request, task: Task) {
    switch (request.type) {
      case "session":
        return (await session(request.request, task)) as SessionGrant;
      case "open": {
        const search = Search.open(request.challenge, request.maxNumber);
        opened.set(request.id, search);
        return search.maxNumber;
      }
      case "search": {
        const search = opened.get(request.id);
        if (!search) throw { code: "aborted" } satisfies Failure;
        const number = await task.searchRange(search, request.start, request.end);
        return number < 0 ? null : number;
      }
    }
  }

  async function answer(request: Request) {
    const { id } = request;
    const task = new Task(id, post, sliceMs, request.type === "session" ? request.request.timeoutMs : 0);
    tasks.set(id, task);
    try {
      post({ type: "done", id, value: await carryOut(request, task) });
    } catch (thrown) {
      const lacking = isObject(thrown) && thrown.code === LACKS_ALGORITHM;
      post(lacking ? { type: "lacks-algorithm", id } : { type: "failed", id, failure: asFailure(thrown) });
    } finally {
      tasks.delete(id);
    }
  }

  return (command) => {
    switch (command.type) {
      case "start":
        void start(command.engine);
        break;
      case "abort":
        tasks.get(command.id)?.abort();
        break;
      case "close":
        opened.get(command.id)?.free();
        opened.delete(command.id);
        break;
      default:
        void answer(command);
    }
  };
}

/** What the wasm calls back while it carries out one command. */
class Task {
  aborted = false;
  #request: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timedOut = false;

  constructor(
    readonly id: number,
    readonly post: (report: Report) => void,
    readonly sliceMs: number,
    readonly timeoutMs: number,
  ) {}

  abort(): void {
    this.aborted = true;
    this.#request?.abort();
  }

  state(state: "challenge" | "solving" | "session"): void {
    this.post({ type: "state", id: this.id, state });
  }

  requestSignal(): AbortSignal {
    const request = new AbortController();
    this.#request = request;
    this.#timedOut = false;
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      request.abort();
    }, this.timeoutMs);
    if (this.aborted) request.abort();
    return request.signal;
  }

  /** What the request failed of, if it failed. */
  requestEnded(): "aborted" | "timeout" | "network" {
    clearTimeout(this.#timer);
    this.#request = undefined;
    return this.aborted ? "aborted" : this.#timedOut ? "timeout" : "network";
  }

  /** The search of a session: the whole range. */
  async search(search: Search): Promise<number> {
    try {
      return await this.searchRange(search, 0, search.maxNumber);
    } finally {
      search.free();
    }
  }

  async searchRange(search: Search, start: number, end: number): Promise<number> {
    const began = performance.now();
    const total = end - start + 1;
    const found = await searchInSlices(search, start, end, {
      sliceMs: this.sliceMs,
      aborted: () => this.aborted,
      progress: (searched) => {
        this.post({ type: "progress", id: this.id, searched, total, elapsedMs: performance.now() - began });
      },
    });
    if (this.aborted) throw { code: "aborted" } satisfies Failure;
    return found;
  }
}

/** What the wasm throws is a Failure already, with a cause that may not survive the way to the page. */
function asFailure(thrown: unknown): Failure {
  if (!isObject(thrown) || typeof thrown.code !== "string") {
    return { code: "engine_failed", detail: describe(thrown) };
  }
  const { cause, ...failure } = thrown as unknown as Failure & { cause?: unknown };
  // How a runtime words an abort adds nothing to what the code says.
  return failure.code === "network" ? { ...failure, detail: describe(cause) } : failure;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
