/**
 * The engine's side of the messages: loads the wasm variant that this runtime can run and carries out
 * commands. Runs in a worker; on the page only where there can be no worker.
 */
import { loadEngine, Search, session } from "#platform";
import { describe, type Failure } from "./errors.js";
import type { Command, Report, SessionGrant } from "./messages.js";
import { searchInSlices } from "./slices.js";

/** Starts an engine; `post` takes its reports. Returns what takes commands. */
export function serve(post: (report: Report) => void, sliceMs: number): (command: Command) => void {
  const tasks = new Map<number, Task>();
  const opened = new Map<number, Search>();
  const ready = loadEngine();
  ready.then(
    (engine) => post({ type: "started", engine }),
    (error) => post({ type: "broken", reason: describe(error) }),
  );

  async function carryOut(command: Exclude<Command, { type: "abort" | "close" }>, task: Task) {
    await ready;
    switch (command.type) {
      case "session":
        return (await session(command.request, task)) as SessionGrant;
      case "open": {
        const search = Search.open(command.challenge, command.maxNumber);
        opened.set(command.id, search);
        return search.maxNumber;
      }
      case "search": {
        const search = opened.get(command.id);
        if (!search) throw { code: "aborted" } satisfies Failure;
        const number = await task.searchRange(search, command.start, command.end);
        if (task.aborted) throw { code: "aborted" } satisfies Failure;
        return number < 0 ? null : number;
      }
    }
  }

  return (command) => {
    const { id } = command;
    if (command.type === "abort") {
      tasks.get(id)?.abort();
    } else if (command.type === "close") {
      opened.get(id)?.free();
      opened.delete(id);
    } else {
      const task = new Task(id, post, sliceMs, command.type === "session" ? command.request.timeoutMs : 0);
      tasks.set(id, task);
      carryOut(command, task)
        .then(
          (value) => post({ type: "done", id, value }),
          (thrown) => post({ type: "failed", id, failure: asFailure(thrown) }),
        )
        .finally(() => tasks.delete(id));
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

  requestEnded(): "" | "aborted" | "timeout" {
    clearTimeout(this.#timer);
    this.#request = undefined;
    return this.aborted ? "aborted" : this.#timedOut ? "timeout" : "";
  }

  /** The search of a session: the whole range. */
  async search(search: Search): Promise<number> {
    try {
      return await this.searchRange(search, 0, search.maxNumber);
    } finally {
      search.free();
    }
  }

  searchRange(search: Search, start: number, end: number): Promise<number> {
    const began = performance.now();
    const total = end - start + 1;
    return searchInSlices(search, start, end, {
      sliceMs: this.sliceMs,
      aborted: () => this.aborted,
      progress: (searched) => {
        this.post({ type: "progress", id: this.id, searched, total, elapsedMs: performance.now() - began });
      },
    });
  }
}

/** What the wasm throws is a Failure already, with a cause that may not survive the way to the page. */
function asFailure(thrown: unknown): Failure {
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && typeof thrown.code === "string") {
    const { cause, ...failure } = thrown as Failure & { cause?: unknown };
    return cause === undefined ? failure : { ...failure, detail: describe(cause) };
  }
  return { code: "engine_failed", detail: describe(thrown) };
}
