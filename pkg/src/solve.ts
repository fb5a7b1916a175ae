import { abortError, untilAborted } from "./abort.js";
import { SaltmineError } from "./errors.js";
import { onCapableEngine, type Wanted } from "./ladder.js";
import { Leases } from "./leases.js";
import { type Link, nextId } from "./link.js";
import { tell } from "./listener.js";
import type { Backend, Challenge } from "./messages.js";
import { listenerOption, maxNumberOption, optionsObject, signalOption, wholeNumber } from "./options.js";
import { giveBack, takeLink } from "./pool.js";
import { type Progress, progressOf } from "./progress.js";

/** What {@link solve} takes beside the challenge. */
export interface SolveOptions {
  /** Ends the search within one slice (25 ms). */
  signal?: AbortSignal;
  /** Told how far the search has come; never backwards. */
  onProgress?: (progress: Progress) => void;
  /** How many workers search at the same time, from 1 to 64; default 1, enough for every usual challenge. */
  workers?: number;
  /** The largest `maxnumber` that is searched; default 10 million. A challenge's own value is not signed. */
  maxNumber?: number;
}

/** What {@link solve} finds. */
export interface SolveResult {
  /** The solution. */
  number: number;
  /** From the call to the solution, the start of the worker included, in milliseconds. */
  tookMs: number;
  /** Candidates tried; within the last slice an estimate. */
  hashes: number;
  /** The rung of the ladder that the search stood on. */
  backend: Backend;
}

const MAX_WORKERS = 64;

/**
 * Solves an ALTCHA v1 challenge in a Web Worker.
 *
 * @throws SaltmineError `challenge_malformed`, `algorithm_unsupported`, `maxnumber_too_large`, `no_solution`,
 * `aborted`, `invalid_options`, `engine_unavailable`
 * @example
 * ```ts
 * import { solve } from "saltmine";
 *
 * const { number, backend } = await solve({
 *   algorithm: "SHA-256",
 *   challenge: "2ab204d76cdcec4609d290441fed2eec4186d288ca47c40cc7dd661a0de1b0d0",
 *   maxnumber: 1000,
 *   salt: "salt",
 *   signature: "0000000000000000000000000000000000000000000000000000000000000000",
 * });
 * console.log(number); // 7
 * ```
 */
export async function solve(challenge: Challenge, options?: SolveOptions): Promise<SolveResult> {
  const given: SolveOptions = optionsObject(options);
  const signal = signalOption(given.signal);
  const onProgress = listenerOption("onProgress", given.onProgress);
  const workers = wholeNumber("workers", given.workers, 1, 1, MAX_WORKERS);
  const maxNumber = maxNumberOption(given.maxNumber);
  const began = performance.now();
  if (signal?.aborted) throw abortError(signal);
  return onCapableEngine(async (wanted) => {
    const search = new SharedSearch(challenge, maxNumber, workers, wanted, onProgress);
    const { number, backend } = await untilAborted(search.run(), signal, () => search.abort());
    return { number, tookMs: performance.now() - began, hashes: search.searched, backend };
  });
}

/** One challenge searched by several engines. */
class SharedSearch {
  readonly #challenge: Challenge;
  readonly #maxNumber: number;
  readonly #workers: number;
  readonly #wanted: Wanted;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  /** Ends what the other engines do when one has found the number, or the caller gives up. */
  readonly #over = new AbortController();
  #leases: Leases | undefined;
  #began = 0;
  #finished = 0;
  readonly #underWay = new Map<Link, number>();
  #reported = 0;
  /** What the first engine says of the challenge: what one says, all would say. */
  #refusal: unknown;
  #found: { number: number; backend: Backend } | undefined;

  constructor(
    challenge: Challenge,
    maxNumber: number,
    workers: number,
    wanted: Wanted,
    onProgress: ((progress: Progress) => void) | undefined,
  ) {
    this.#challenge = sendable(challenge);
    this.#maxNumber = maxNumber;
    this.#workers = workers;
    this.#wanted = wanted;
    this.#onProgress = onProgress;
  }

  /** Candidates tried so far. */
  get searched(): number {
    return [...this.#underWay.values()].reduce((sum, part) => sum + part, this.#finished);
  }

  abort(): void {
    this.#over.abort();
  }

  async run(): Promise<{ number: number; backend: Backend }> {
    let lastFailure: unknown;
    // The first engine reads the challenge and starts at once; the others join when they are ready.
    const miners = [this.#mine(true)];
    for (let i = 1; i < this.#workers; i += 1) miners.push(this.#mine(false));
    for (const outcome of await Promise.allSettled(miners)) {
      if (outcome.status === "rejected") lastFailure = outcome.reason;
    }
    if (this.#found) return this.#found;
    if (this.#refusal) throw this.#refusal;
    // A part that nobody was left to search: not "no solution".
    if (!this.#leases || this.searched < this.#leases.total) throw lastFailure;
    throw new SaltmineError({ code: "no_solution" });
  }

  async #mine(first: boolean): Promise<void> {
    const link = await takeLink(this.#wanted, this.#over.signal);
    // Several engines on the page's one thread are no faster than one.
    if (!first && link.backend.thread === "page") return giveBack(link, this.#wanted);
    const id = nextId();
    try {
      await this.#open(link, id);
      while (!this.#over.signal.aborted && (await this.#searchNext(link, id))) {}
    } finally {
      link.forget(id);
      giveBack(link, this.#wanted);
    }
  }

  async #open(link: Link, id: number): Promise<void> {
    const open = { type: "open", challenge: this.#challenge, maxNumber: this.#maxNumber } as const;
    try {
      const last = (await link.request(open, { id, signal: this.#over.signal })) as number;
      this.#leases ??= new Leases(last, this.#workers);
      this.#began ||= performance.now();
    } catch (error) {
      if (!this.#over.signal.aborted) this.#refusal = error;
      this.#over.abort();
      throw error;
    }
  }

  /** Searches one part; whether to go on. */
  async #searchNext(link: Link, id: number): Promise<boolean> {
    const lease = (this.#leases as Leases).take();
    if (!lease) return false;
    try {
      const found = (await link.request(
        { type: "search", ...lease },
        {
          id,
          signal: this.#over.signal,
          onUpdate: (update) => {
            if (update.type === "progress") this.#progress(link, update.searched);
          },
        },
      )) as number | null;
      if (found === null) return true;
      this.#found = { number: found, backend: link.backend };
      this.#over.abort();
      return false;
    } catch (error) {
      if (!this.#over.signal.aborted) {
        this.#underWay.delete(link);
        (this.#leases as Leases).putBack(lease);
      }
      throw error;
    } finally {
      this.#finished += this.#underWay.get(link) ?? 0;
      this.#underWay.delete(link);
    }
  }

  #progress(link: Link, searched: number): void {
    this.#underWay.set(link, searched);
    const sum = this.searched;
    if (sum <= this.#reported || this.#over.signal.aborted) return;
    this.#reported = sum;
    const elapsedMs = performance.now() - this.#began;
    tell(this.#onProgress, progressOf({ searched: sum, total: (this.#leases as Leases).total, elapsedMs }));
  }
}

const MEMBERS = ["algorithm", "challenge", "maxnumber", "salt", "signature", "expiresAt"] as const;

/** The challenge as a plain object of plain values, since not every object can cross to a worker. */
function sendable(challenge: Challenge): Challenge {
  const given = Object(challenge) as Record<string, unknown>;
  const values = MEMBERS.map((name) => {
    let value: unknown;
    try {
      value = given[name];
    } catch (error) {
      throw new SaltmineError({ code: "challenge_malformed", field: name }, error);
    }
    // An object in a member's place is as wrong as any other: the engine names the member.
    return [name, typeof value === "string" || typeof value === "number" || value == null ? value : {}];
  });
  return Object.fromEntries(values) as Challenge;
}
