/** PreparedSolutions for callers that attach one to a request: the next is prepared while nobody waits. */
import type { untilAborted } from "../common/abort.js";
import { WaitingQueue } from "./waiting-queue.js";
import type { Flow } from "../solver/flow.js";
import { isFrugal, later } from "../session/environment.js";
import type { Solved } from "../worker/wasm.js";

/** A solution this close to its expiry is discarded, in milliseconds. */
const STALE_MS = 30_000;
/** How long a solution is good for whose server does not tell, and how long proof of work is taken to be off. */
const UNKNOWN_MS = 60_000;
/** PreparedSolutions that are replaced unused, one after the other: a page that is left open must not work for ever. */
const MOST_UNUSED = 3;

interface Prepared {
  /** None: proof of work is off. */
  header: string | undefined;
  /** By the clocks of `Date.now()`, which somebody may set, and of `performance.now()`, which may stand still in sleep. */
  endsAt: readonly [number, number];
}

/** One that is being made, or was. */
interface Making {
  prepared: Promise<Prepared>;
  controller: AbortController;
}

const clocks = () => [Date.now(), performance.now()] as const;

/** How long it can still be kept. */
function freshMs({ endsAt }: Prepared): number {
  const [date, steady] = clocks();
  return Math.min(endsAt[0] - date, endsAt[1] - steady) - STALE_MS;
}

export class PreparedSolutions {
  readonly #flow: Flow;
  readonly #untilAborted: typeof untilAborted;
  readonly #line: WaitingQueue;
  readonly #makings = new Set<Making>();
  /** Why there are no more, once there are no more. */
  #over: unknown;
  #next: Making | undefined;
  /** What `#next` has become, once it is there. */
  #ready: Prepared | undefined;
  /** The server's challenges do not live long enough to be solved ahead. */
  #shortLived = false;
  #unused = 0;
  /** The server's last word that proof of work is off. */
  #off: Prepared | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `waiting` comes from the entry point: an abort must be of its class. */
  constructor(flow: Flow, workers: number, waiting: typeof untilAborted) {
    this.#flow = flow;
    this.#line = new WaitingQueue(workers);
    this.#untilAborted = waiting;
  }

  /** A solution of the caller's own; undefined where proof of work is off. */
  async take(signal: AbortSignal | undefined): Promise<string | undefined> {
    this.#unused = 0;
    const begun = this.#next;
    this.#forget();
    let prepared = await this.#keeping(begun ?? this.#make(), signal);
    if (begun && freshMs(prepared) < 0) prepared = await this.#keeping(this.#make(), signal);
    if (prepared.header !== undefined) this.prepare();
    return prepared.header;
  }

  /** A solution that is prepared already, for the first caller; the next is prepared in its place. */
  spare(): string | undefined {
    const ready = this.#ready;
    if (!ready?.header || freshMs(ready) < 0) return undefined;
    this.#forget();
    this.prepare();
    return ready.header;
  }

  /** Prepares the next one, if there is none and nobody minds. */
  prepare(): void {
    if (!this.#next && !this.#shortLived && !isFrugal() && !this.#over) this.#keep(this.#make());
  }

  /** Throws away what was prepared: the server would refuse it. */
  drop(): void {
    this.#next?.controller.abort();
    this.#forget();
    this.#off = undefined;
  }

  close(reason: unknown): void {
    this.#over = reason;
    for (const { controller } of this.#makings) controller.abort(reason);
    this.#forget();
  }

  #forget(): void {
    this.#next = this.#ready = undefined;
    clearTimeout(this.#timer);
  }

  /** Keeps what is being made for the next caller, as long as it is good. */
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

  /** Waits for it; when the caller gives up, one is kept for the next caller. */
  #keeping(making: Making, signal: AbortSignal | undefined): Promise<Prepared> {
    return this.#untilAborted(making.prepared, signal, () => {
      if (this.#next) making.controller.abort();
      else this.#keep(making);
    });
  }

  /** Makes one, when its turn comes. */
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
    if (signal.aborted) throw signal.reason;
    // One before it has learned that there is nothing to solve.
    if (this.#off && freshMs(this.#off) > 0) return this.#off;
    const nothing = () => {};
    const run = { solveOnly: true, workers, signal, onState: nothing, onProgress: nothing };
    const { value } = await this.#flow.run(run).catch((error) => {
      // It has been tried again already: those who wait share the failure, or they would wait for one after the other.
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
