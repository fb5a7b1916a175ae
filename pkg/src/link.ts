/** One engine, reached by messages: in a worker, or on the page where there can be no worker. */
import { loadPageEngine, spawn, type Thread } from "#spawn";
import { abortError, untilAborted } from "./abort.js";
import { describe, type Failure, SaltmineError } from "./errors.js";
import type { Command, Engine, Report, SessionGrant } from "./messages.js";

/** The rung of the ladder that the work stands on. */
export interface Backend {
  /** `simd128`: four hashes at once; `scalar`: where WebAssembly has no SIMD. */
  engine: Engine;
  /** `page` only where there can be no worker: there the work is cut into slices of 8 ms. */
  thread: "worker" | "page";
  /** Why it does not stand higher. */
  reason?: string;
}

/** A worker that has not proved itself after this long is given up. */
const HANDSHAKE_MS = 10_000;

type RequestCommand = Exclude<Command, { type: "abort" | "close" }>;
/** A command without the id, which the link gives. */
type Unsent<C> = C extends { id: number } ? Omit<C, "id"> : never;
type Value = SessionGrant | number | null;
/** What a request tells while it runs. */
export type Update = Extract<Report, { type: "state" | "progress" }>;

interface Pending {
  resolve(value: Value): void;
  reject(error: SaltmineError): void;
  onUpdate: ((update: Update) => void) | undefined;
}

let lastId = 0;
/** An id that no other request of this page has. */
export const nextId = (): number => ++lastId;

/** A running engine. */
export class Link {
  readonly backend: Backend;
  readonly #thread: Thread;
  readonly #pending = new Map<number, Pending>();
  #closed: SaltmineError | undefined;

  constructor(thread: Thread, backend: Backend) {
    this.#thread = thread;
    this.backend = backend;
  }

  /** Whether requests can still be made. */
  get usable(): boolean {
    return this.#closed === undefined;
  }

  /** Sends a command and waits for its one answer. */
  request(
    command: Unsent<RequestCommand>,
    {
      id = nextId(),
      signal,
      onUpdate,
    }: { id?: number; signal?: AbortSignal; onUpdate?: (update: Update) => void } = {},
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      if (signal?.aborted) return reject(abortError(signal));
      const onAbort = () => {
        this.#thread.post({ type: "abort", id });
        settle(reject)(abortError(signal as AbortSignal));
      };
      const settle =
        <T>(end: (value: T) => void) =>
        (value: T) => {
          this.#pending.delete(id);
          signal?.removeEventListener("abort", onAbort);
          end(value);
        };
      signal?.addEventListener("abort", onAbort);
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), onUpdate });
      this.#thread.post({ ...command, id } as Command);
    });
  }

  /** Forgets an opened challenge. */
  forget(id: number): void {
    if (this.usable) this.#thread.post({ type: "close", id });
  }

  /** Takes the engine's reports. */
  take(report: Report): void {
    if (!("id" in report)) return;
    const pending = this.#pending.get(report.id);
    if (report.type === "done") pending?.resolve(report.value);
    else if (report.type === "failed") pending?.reject(new SaltmineError(report.failure));
    else pending?.onUpdate?.(report);
  }

  /** Ends the engine; whatever still waits for it fails with `failure`. */
  close(failure: Failure): void {
    if (this.#closed) return;
    this.#closed = new SaltmineError(failure);
    this.#thread.terminate();
    for (const pending of [...this.#pending.values()]) pending.reject(this.#closed);
  }
}

type Starter = (
  onReport: (report: Report) => void,
  onBroken: (reason: string) => void,
) => Thread | Promise<Thread>;

const inWorker: Starter = spawn;

const onPage: Starter = async (onReport) => {
  const { serveOnPage } = await loadPageEngine();
  let open = true;
  const handle = serveOnPage((report) => {
    if (open) onReport(report);
  });
  return {
    post: handle,
    terminate: () => {
      open = false;
    },
  };
};

/** Climbs down the ladder until an engine has proved itself; an abort ends what was started. */
export async function connect(signal?: AbortSignal): Promise<Link> {
  const connecting = climbDown(signal);
  connecting.then(
    (link) => signal?.aborted && link.close({ code: "aborted" }),
    () => {},
  );
  return untilAborted(connecting, signal);
}

async function climbDown(signal: AbortSignal | undefined): Promise<Link> {
  try {
    return await start(inWorker, "worker");
  } catch (inWorkerFailed) {
    if (signal?.aborted) throw abortError(signal);
    const reason = `no worker: ${describe(inWorkerFailed)}`;
    try {
      return await start(onPage, "page", reason);
    } catch (onPageFailed) {
      throw new SaltmineError(
        { code: "engine_unavailable", detail: `${reason}; on the page: ${describe(onPageFailed)}` },
        onPageFailed,
      );
    }
  }
}

function start(starter: Starter, thread: Backend["thread"], fellFrom?: string): Promise<Link> {
  return new Promise((resolve, reject) => {
    let link: Link | undefined;
    let running: Thread | undefined;
    let over = false;
    const giveUp = (reason: string) => {
      clearTimeout(timer);
      over = true;
      if (link) link.close({ code: "engine_failed", detail: reason });
      else running?.terminate();
      reject(new Error(reason));
    };
    const timer = setTimeout(giveUp, HANDSHAKE_MS, `no sign of life for ${HANDSHAKE_MS / 1000} s`);

    const onReport = (report: Report) => {
      if (report.type === "broken") giveUp(report.reason);
      else if (report.type !== "started") link?.take(report);
      else if (running && !over) {
        clearTimeout(timer);
        link = new Link(running, backendOf(report.engine, thread, fellFrom));
        resolve(link);
      }
    };
    const adopt = (started: Thread) => {
      running = started;
      if (over) started.terminate();
    };
    try {
      const started = starter(onReport, giveUp);
      if ("then" in started) started.then(adopt, (error) => giveUp(describe(error)));
      else adopt(started);
    } catch (error) {
      giveUp(describe(error));
    }
  });
}

function backendOf(engine: Engine, thread: Backend["thread"], fellFrom: string | undefined): Backend {
  const reasons = [fellFrom, engine === "scalar" ? "this runtime has no WebAssembly SIMD" : undefined];
  const reason = reasons.filter((part) => part !== undefined).join("; ");
  return reason ? { engine, thread, reason } : { engine, thread };
}
