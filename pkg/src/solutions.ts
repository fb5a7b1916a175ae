/** Solutions for callers that attach one to a request: the next is prepared while nobody waits. */
import type { untilAborted } from "./abort.js";
import type { Runner } from "./runner.js";
import { isFrugal, later } from "./surroundings.js";
import type { Solved } from "./work.js";

/** A solution this close to its end is thrown away, in milliseconds. */
const STALE_MS = 30_000;
/** How long a solution is good for whose server does not tell. */
const UNKNOWN_MS = 60_000;
/** Solutions that are replaced unused, one after the other: a page that is left open must not work for ever. */
const MOST_UNUSED = 3;

interface Prepared {
  /** None: proof of work is off. */
  header: string | undefined;
  /** By the clock of `Date.now()`. */
  endsAt: number;
}

export class Solutions {
  readonly #runner: Runner;
  readonly #untilAborted: typeof untilAborted;
  readonly #over = new AbortController();
  #next: Promise<Prepared> | undefined;
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
    const next = this.#next;
    this.#next = undefined;
    clearTimeout(this.#timer);
    // What went wrong in the background is tried again, and told now.
    let prepared =
      next &&
      (await this.#keeping(
        next.catch(() => undefined),
        signal,
      ));
    if (!prepared || isStale(prepared)) prepared = await this.#keeping(this.#make(), signal);
    this.prepare();
    return prepared.header;
  }

  /** Prepares the next one, if there is none and nobody minds. */
  prepare(): void {
    if (this.#next || isFrugal() || this.#over.signal.aborted) return;
    const next = this.#make();
    this.#next = next;
    next.then(
      ({ header, endsAt }) => {
        if (this.#next !== next || header === undefined) return;
        this.#timer = later(endsAt - STALE_MS - Date.now(), () => {
          this.#next = undefined;
          this.#unused += 1;
          if (this.#unused < MOST_UNUSED) this.prepare();
        });
      },
      () => {
        // The next caller tries again, and is told what is wrong.
        if (this.#next === next) this.#next = undefined;
      },
    );
  }

  close(reason: unknown): void {
    this.#over.abort(reason);
    clearTimeout(this.#timer);
  }

  /** What is being made is kept for the next caller when this one gives up. */
  #keeping<T extends Prepared | undefined>(making: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return this.#untilAborted(making, signal, () => {
      making.catch(() => {});
      this.#next ??= making as Promise<Prepared>;
    });
  }

  async #make(): Promise<Prepared> {
    const { signal } = this.#over;
    if (signal.aborted) throw signal.reason;
    const nothing = () => {};
    const run = { solveOnly: true, signal, onState: nothing, onProgress: nothing };
    const { header, expiresInMs = UNKNOWN_MS } = (await this.#runner.run(run)).value as Solved;
    return { header, endsAt: Date.now() + expiresInMs };
  }
}

const isStale = ({ header, endsAt }: Prepared) => header !== undefined && endsAt - Date.now() < STALE_MS;
