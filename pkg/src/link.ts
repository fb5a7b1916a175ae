/** A running engine as its owner sees it: requests go out, each is answered once. */
import type { Thread } from "#spawn";
import { abortError } from "./abort.js";
import { type Failure, SaltmineError } from "./errors.js";
import type { Backend, Command, Report, SessionGrant, Update } from "./messages.js";

type RequestCommand = Exclude<Command, { type: "start" | "abort" | "close" }>;
/** A command without the id, which the link gives. */
type Unsent<C> = C extends { id: number } ? Omit<C, "id"> : never;
type Value = SessionGrant | number | null;

interface Pending {
  resolve(value: Value): void;
  reject(error: Error): void;
  onUpdate: ((update: Update) => void) | undefined;
}

let lastId = 0;
/** An id that no other request of this page has. */
export const nextId = (): number => ++lastId;

/** The engine does not have the challenge's hash function. Never reaches a caller: the ladder catches it. */
export class LacksAlgorithm extends Error {}

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

  /** Whether the process waits for the engine: not while it rests. */
  keepAlive(on: boolean): void {
    this.#thread.keepAlive?.(on);
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
    else if (report.type === "lacks-algorithm") pending?.reject(new LacksAlgorithm());
    else pending?.onUpdate?.(report);
  }

  /** Ends the engine; whatever still waits for it fails with `failure`. */
  close(failure: Failure): void {
    if (this.#closed) return;
    this.#closed = new SaltmineError(failure);
    // On the page there is no thread to end: what runs there has to hear it.
    for (const id of this.#pending.keys()) this.#thread.post({ type: "abort", id });
    this.#thread.terminate();
    for (const pending of [...this.#pending.values()]) pending.reject(this.#closed);
  }
}
