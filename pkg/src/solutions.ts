/** Solutions for callers that attach one to a request, and such requests: the next is prepared while nobody waits. */
import type { untilAborted } from "./abort.js";
import { authorizedFetch, type Lender } from "./authorized-fetch.js";
import type { Runner } from "./runner.js";
import { isFrugal, later } from "./surroundings.js";
import type { Solved } from "./work.js";

/** A solution this close to its end is thrown away, in milliseconds. */
const STALE_MS = 30_000;
/** How long a solution is good for whose server does not tell, and how long proof of work is taken to be off. */
const UNKNOWN_MS = 60_000;
/** Solutions that are replaced unused, one after the other: a page that is left open must not work for ever. */
const MOST_UNUSED = 3;

interface Prepared {
  /** None: proof of work is off. */
  header: string | undefined;
  /** By the clock of `Date.now()`. */
  endsAt: number;
}

/** How long it can still be kept. */
const freshMs = ({ endsAt }: Prepared) => endsAt - STALE_MS - Date.now();

export class Solutions {
  readonly #runner: Runner;
  readonly #untilAborted: typeof untilAborted;
  readonly #over = new AbortController();
  #next: Promise<Prepared> | undefined;
  /** What `#next` has become, once it is there. */
  #ready: Prepared | undefined;
  /** The server's challenges do not live long enough to be solved ahead. */
  #shortLived = false;
  #unused = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `waiting` is the door's own: an abort must be of its class. */
  constructor(runner: Runner, waiting: typeof untilAborted) {
    this.#runner = runner;
    this.#untilAborted = waiting;
  }

  /** A solution of the caller's own; undefined where proof of work is off. */
  async take(signal: AbortSignal | undefined): Promise<string | undefined> {
    this.#unused = 0;
    const begun = this.#next;
    this.#drop();
    let prepared = await this.#keeping(begun ?? this.#make(), signal);
    if (begun && freshMs(prepared) < 0) prepared = await this.#keeping(this.#make(), signal);
    // That there is nothing to solve holds for the next caller too.
    if (prepared.header === undefined) this.#keep(Promise.resolve(prepared));
    else this.prepare();
    return prepared.header;
  }

  /** A solution that is there already, for whoever can use it; the next is prepared in its place. */
  spare(): string | undefined {
    const ready = this.#ready;
    if (!ready?.header || freshMs(ready) < 0) return undefined;
    this.#drop();
    this.prepare();
    return ready.header;
  }

  /** Prepares the next one, if there is none and nobody minds. */
  prepare(): void {
    if (!this.#next && !this.#shortLived && !isFrugal() && !this.#over.signal.aborted)
      this.#keep(this.#make());
  }

  /** A request of the caller's own, given up when this closes; its answer is the caller's. */
  fetch(
    fetch: typeof globalThis.fetch,
    lender: Lender,
    input: RequestInfo | URL,
    init: RequestInit | undefined,
  ): Promise<Response> {
    const sending: typeof fetch = (url, given) => {
      const request = new AbortController();
      const giveUp = () => request.abort(given?.signal?.reason);
      if (given?.signal?.aborted) giveUp();
      // Longer than until the head has come: the caller may give the body up, too.
      given?.signal?.addEventListener("abort", giveUp, { once: true });
      return this.#untilAborted(fetch(url, { ...given, signal: request.signal }), this.#over.signal, giveUp);
    };
    return authorizedFetch(sending, lender, input, init);
  }

  /** Throws away what was prepared: the server would refuse it. Always true. */
  drop(): true {
    this.#drop();
    return true;
  }

  close(reason: unknown): void {
    this.#over.abort(reason);
    this.#drop();
  }

  #drop(): void {
    this.#next = this.#ready = undefined;
    clearTimeout(this.#timer);
  }

  /** Keeps what is being made for the next caller, as long as it is good. */
  #keep(making: Promise<Prepared>): void {
    // Callers that ask at the same time may each have one to keep.
    clearTimeout(this.#timer);
    this.#next = making;
    making.then(
      (prepared) => {
        if (this.#next !== making || this.#over.signal.aborted) return;
        this.#ready = prepared;
        this.#timer = later(freshMs(prepared), () => {
          this.#drop();
          this.#unused += 1;
          if (this.#unused < MOST_UNUSED && prepared.header !== undefined) this.prepare();
        });
      },
      () => {
        // The next caller tries again, and is told what is wrong.
        if (this.#next === making) this.#drop();
      },
    );
  }

  /** Waits for it; when the caller gives up it is kept for the next one. */
  #keeping(making: Promise<Prepared>, signal: AbortSignal | undefined): Promise<Prepared> {
    return this.#untilAborted(making, signal, () => {
      if (!this.#next) this.#keep(making);
    });
  }

  async #make(): Promise<Prepared> {
    const { signal } = this.#over;
    if (signal.aborted) throw signal.reason;
    const nothing = () => {};
    const run = { solveOnly: true, signal, onState: nothing, onProgress: nothing };
    const { header, expiresInMs = UNKNOWN_MS } = (await this.#runner.run(run)).value as Solved;
    const prepared = { header, endsAt: Date.now() + expiresInMs };
    this.#shortLived = freshMs(prepared) <= 0;
    return prepared;
  }
}
