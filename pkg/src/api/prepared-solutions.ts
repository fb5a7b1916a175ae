/** Solutions for callers that attach one to a request: the next one is prepared before it is needed. */
import { abortReason, abortWith, type untilAborted } from "../common/abort.js";
import { WaitingQueue } from "./waiting-queue.js";
import type { Flow } from "../solver/flow.js";
import { isFrugal, later } from "../session/environment.js";
import type { Solved } from "../worker/wasm.js";

/** A solution this close to its expiry is discarded, in milliseconds. */
const STALE_MS = 30_000;
/** The lifetime of a solution whose server sends none, and of the state that proof of work is off, in milliseconds. */
const UNKNOWN_MS = 60_000;
/** The most unused solutions that are replaced in succession: a page that is left open must not work for ever. */
const MOST_UNUSED = 3;

interface Prepared {
  /** Undefined: proof of work is off. */
  header: string | undefined;
  /** The expiry by `Date.now()`, which the visitor can set, and by `performance.now()`, which may stop during sleep. */
  endsAt: readonly [number, number];
}

/** A solution that is being prepared, or is ready. */
interface Making {
  prepared: Promise<Prepared>;
  controller: AbortController;
}

const clocks = () => [Date.now(), performance.now()] as const;

/** Returns how long it can still be used, in milliseconds. */
function freshMs({ endsAt }: Prepared): number {
  const [date, steady] = clocks();
  return Math.min(endsAt[0] - date, endsAt[1] - steady) - STALE_MS;
}

export class PreparedSolutions {
  readonly #flow: Flow;
  readonly #untilAborted: typeof untilAborted;
  readonly #line: WaitingQueue;
  readonly #makings = new Set<Making>();
  /** The error of every later call, once this is closed. */
  #over: unknown;
  #next: Making | undefined;
  /** The value of `#next`, once it has settled. */
  #ready: Prepared | undefined;
  /** The server's challenges do not live long enough to be solved ahead. */
  #shortLived = false;
  #unused = 0;
  /** The result of the last flow, if proof of work was off. */
  #off: Prepared | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `waiting` comes from the entry point, so that an abort has its class of errors. */
  constructor(flow: Flow, workers: number, waiting: typeof untilAborted) {
    this.#flow = flow;
    this.#line = new WaitingQueue(workers);
    this.#untilAborted = waiting;
  }

  /** Returns a solution for one caller only; undefined where proof of work is off. */
  async take(signal: AbortSignal | undefined): Promise<string | undefined> {
    this.#unused = 0;
    const begun = this.#next;
    this.#forget();
    let prepared = await this.#keeping(begun ?? this.#make(), signal);
    if (begun && freshMs(prepared) < 0) prepared = await this.#keeping(this.#make(), signal);
    if (prepared.header !== undefined) this.prepare();
    return prepared.header;
  }

  /** Returns a solution that is ready, and prepares the next one; undefined if none is ready. */
  spare(): string | undefined {
    const ready = this.#ready;
    if (!ready?.header || freshMs(ready) < 0) return undefined;
    this.#forget();
    this.prepare();
    return ready.header;
  }

  /** Prepares the next solution, if there is none, the tab is visible, and the visitor does not save data. */
  prepare(): void {
    if (!this.#next && !this.#shortLived && !isFrugal() && !this.#over) this.#keep(this.#make());
  }

  /** Discards the prepared solution: the server would refuse it. */
  drop(): void {
    this.#next?.controller.abort();
    this.#forget();
    this.#off = undefined;
  }

  close(reason: unknown): void {
    this.#over = reason;
    for (const { controller } of this.#makings) abortWith(controller, reason);
    this.#forget();
  }

  #forget(): void {
    this.#next = this.#ready = undefined;
    clearTimeout(this.#timer);
  }

  /** Keeps a solution for the next caller, as long as it is valid. */
  #keep(making: Making): void {
    this.#next = making;
    making.prepared.then(
      (prepared) => {
        if (this.#next !== making || this.#over) return;
        this.#ready = prepared;
        this.#timer = later(freshMs(prepared), () => {
          this.#forget();
          this.#unused += 1;
          if (this.#unused < MOST_UNUSED && prepared.header !== undefined) this.prepare();
        });
      },
      () => {
        // The next caller tries again, and receives the error.
        if (this.#next === making) this.#forget();
      },
    );
  }

  /** Waits for a solution; when the caller gives up, it is kept for the next caller. */
  #keeping(making: Making, signal: AbortSignal | undefined): Promise<Prepared> {
    return this.#untilAborted(making.prepared, signal, () => {
      if (this.#next) making.controller.abort();
      else this.#keep(making);
    });
  }

  /** Prepares a solution, when a worker is free. */
  #make(): Making {
    const controller = new AbortController();
    const prepared = this.#line.take((more) => this.#solve(more, controller.signal));
    const making = { prepared, controller };
    this.#makings.add(making);
    const over = () => this.#makings.delete(making);
    prepared.then(over, over);
    return making;
  }

  async #solve(workers: () => number, signal: AbortSignal): Promise<Prepared> {
    if (this.#over) throw this.#over;
    if (signal.aborted) throw abortReason(signal);
    // An earlier flow has found that proof of work is off.
    if (this.#off && freshMs(this.#off) > 0) return this.#off;
    const nothing = () => {};
    const run = { solveOnly: true, workers, signal, onState: nothing, onProgress: nothing };
    const { value } = await this.#flow.run(run).catch((error) => {
      // The flow has repeated its requests already: all waiting callers get the error, or each would wait for its own.
      if (!signal.aborted) this.#line.dismiss(error);
      throw error;
    });
    const { header, expiresInMs = UNKNOWN_MS } = value as Solved;
    const [date, steady] = clocks();
    const prepared = { header, endsAt: [date + expiresInMs, steady + expiresInMs] as const };
    this.#shortLived = freshMs(prepared) <= 0;
    if (header === undefined) this.#off = prepared;
    return prepared;
  }
}
