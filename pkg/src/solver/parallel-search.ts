/** One challenge, searched by a number of engines that is proportional to the work. */
import { abortReason } from "../common/abort.js";
import type { Wanted } from "./engine-selection.js";
import { RangeQueue } from "./range-queue.js";
import type { WorkerClient } from "./worker-client.js";
import type { Backend, Challenge, Range, Share, Update } from "./messages.js";
import type { WorkerPool } from "./worker-pool.js";
import type { Measured } from "./progress.js";

/** The minimum work of a further engine, in milliseconds: its start takes about half of it. */
const WORTH_MS = 150;
/** The maximum number of engines that are replaced in one search. */
const MOST_REPLACEMENTS = 3;

/** The engine that has the rare hash functions. */
const RARE: Wanted = { engine: "scalar", reason: "the challenge's hash function has no SIMD engine" };

/** The last measured speed of each engine with each hash function, in hashes per second. */
const rates = new Map<string, number>();
const keyOf = ({ backend }: WorkerClient, { algorithm }: Challenge) => `${backend.engine} ${algorithm}`;
/** An engine's first part is so much smaller than its kind's usual one: its core may be a slow one. */
const TRIAL = 5;
/** An engine so many times slower than the fastest gets parts of its own size. */
const SLOW = 2;
/** A part for less than this, in seconds, measures the messages more than the engine. */
const TELLING_SECONDS = 0.02;

/** The parts of a client that a search uses, and its options. */
export interface ParallelSearchContext {
  pool: WorkerPool;
  /** The first candidate. */
  start: number;
  /** The caller's ceiling on a challenge's range. */
  maxNumber: number;
  /** The maximum number of engines at a time. */
  workers: number;
  signal: AbortSignal;
  /** Receives the progress of the search; it never decreases. */
  onProgress(measured: Measured): void;
}

/** A running search. */
export class ParallelSearch {
  /** The engine that found the number, or that searches now. */
  backend: Backend | undefined;
  /** Candidates tried so far. */
  searched = 0;
  readonly #context: ParallelSearchContext;
  /** When the first candidate was tried. */
  #began = 0;
  #replacements = 0;

  constructor(context: ParallelSearchContext) {
    this.#context = context;
  }

  /** Searches the whole challenge; returns the number, or null. */
  async solve(challenge: Challenge, wanted: Wanted): Promise<number | null> {
    const { pool, signal, start, maxNumber, workers } = this.#context;
    for (;;) {
      const link = await pool.take(wanted, signal);
      let shared: Promise<number | null> | undefined;
      try {
        const whole = this.#worthSharing(challenge, link);
        if (whole) return await this.#together(challenge, whole, link, wanted);
        this.backend = link.backend;
        const request = { type: "solve", challenge, start, maxNumber, share: workers > 1 } as const;
        return (await link.request(request, {
          signal,
          onUpdate: (update) => this.#update(update),
          onShare: (share) => (shared = this.share(share, link, wanted)),
        })) as number | null;
      } catch (error) {
        // The other engines continue when the first one fails.
        if (shared) return await shared;
        if (!this.#replaces(link)) throw error;
      } finally {
        pool.giveBack(link, wanted);
      }
    }
  }

  /** Continues with the range that an engine shares. */
  async share(share: Share, link: WorkerClient, wanted: Wanted): Promise<number | null> {
    const { challenge, start, end, searched, elapsedMs } = share;
    if (elapsedMs === 0) return this.solve(challenge, RARE);
    this.#began ||= performance.now() - elapsedMs;
    this.searched = Math.max(this.searched, searched);
    rates.set(keyOf(link, challenge), (searched / elapsedMs) * 1000);
    return this.#together(challenge, { start, end }, link, wanted);
  }

  /** Takes the report of an engine that searches without others. */
  #update(update: Update): void {
    if (update.type !== "progress") return;
    this.#began ||= performance.now() - update.elapsedMs;
    this.#tell(update.searched, update.total);
  }

  /** Whether another engine may replace one that failed. */
  #replaces(link: WorkerClient): boolean {
    return !link.usable && !this.#context.signal.aborted && ++this.#replacements <= MOST_REPLACEMENTS;
  }

  /** The whole range, if it is already known to be long enough for several engines. */
  #worthSharing(challenge: Challenge, link: WorkerClient): Range | undefined {
    const { maxnumber = 1_000_000 } = challenge;
    const end = Number.isSafeInteger(maxnumber) && maxnumber <= this.#context.maxNumber ? maxnumber : -1;
    const whole = { start: this.#context.start, end };
    return this.#engines(whole, link, rates.get(keyOf(link, challenge))) > 1 ? whole : undefined;
  }

  /** Returns how many engines a range needs. Several on the page's one thread are no faster than one. */
  #engines({ start, end }: Range, { backend }: WorkerClient, rate = Number.POSITIVE_INFINITY): number {
    if (backend.thread === "page") return 1;
    const ms = ((end - start + 1) / rate) * 1000;
    return Math.min(this.#context.workers, Math.ceil(ms / WORTH_MS));
  }

  async #together(
    challenge: Challenge,
    range: Range,
    lead: WorkerClient,
    wanted: Wanted,
  ): Promise<number | null> {
    const { pool, signal, maxNumber } = this.#context;
    const key = keyOf(lead, challenge);
    const engines = this.#engines(range, lead, rates.get(key));
    /** The speed of each engine in this search, in hashes per second. */
    const speeds = new Map<WorkerClient, number>();
    const queue = new RangeQueue(range);
    const total = range.end + 1 - this.#context.start;
    const over = new AbortController();
    const abort = () => over.abort();
    /** Candidates covered: before, by finished parts, and by those under way. */
    let covered = range.start - this.#context.start;
    const underWay = new Map<WorkerClient, number>();
    let found: number | null = null;
    let failure: unknown;

    /** Searches parts on one engine until none is left; returns false if the engine failed. */
    const mine = async (link: WorkerClient): Promise<boolean> => {
      while (!over.signal.aborted) {
        const usual = rates.get(key) as number;
        const own = speeds.get(link) ?? usual / TRIAL;
        // Small differences are noise, and would leave one engine with more than its share.
        const speed = own > usual / SLOW && speeds.has(link) ? usual : own;
        const lease = queue.take(speed, usual * engines);
        if (!lease) break;
        const began = performance.now();
        try {
          const number = await link.request(
            { type: "search", challenge, maxNumber, ...lease },
            {
              signal: over.signal,
              onUpdate: (update) => {
                if (update.type !== "progress") return;
                underWay.set(link, update.searched);
                this.#tell(
                  [...underWay.values()].reduce((sum, part) => sum + part, covered),
                  total,
                );
              },
            },
          );
          covered += underWay.get(link) ?? 0;
          if (number !== null) {
            found = number as number;
            this.backend = link.backend;
            abort();
          } else {
            const size = lease.end - lease.start + 1;
            const ms = performance.now() - began;
            // A coarse clock may show no time at all: no part is cut after an endless speed.
            if (ms > 0 && size > speed * TELLING_SECONDS) {
              speeds.set(link, (size / ms) * 1000);
              rates.set(key, Math.max(...speeds.values()));
            }
          }
        } catch (error) {
          if (over.signal.aborted) break;
          if (!link.usable) {
            queue.putBack(lease);
            failure = error;
            return false;
          }
          // All engines would reject the challenge with the same error.
          failure = error;
          abort();
        } finally {
          underWay.delete(link);
        }
      }
      return true;
    };

    /** Adds an engine, and replaces it when it fails. */
    const join = async (): Promise<void> => {
      for (let alive = false; !alive && queue.left;) {
        const link = await pool.take(wanted, over.signal);
        try {
          // One that had to be started on the page after all has nothing to add.
          alive = link.backend.thread === "page" || (await mine(link)) || !this.#replaces(link);
        } finally {
          pool.giveBack(link, wanted);
        }
      }
    };

    if (signal.aborted) throw abortReason(signal);
    signal.addEventListener("abort", abort);
    this.backend = lead.backend;
    this.#began ||= performance.now();
    try {
      const others = Array.from({ length: engines - 1 }, join);
      const ends = await Promise.allSettled([mine(lead), ...others]);
      for (const end of ends) if (end.status === "rejected" && !over.signal.aborted) failure ??= end.reason;
      // Parts that came back after the others had ended.
      while (queue.left && !over.signal.aborted && this.#replacements < MOST_REPLACEMENTS) {
        this.#replacements += 1;
        await join();
      }
    } finally {
      signal.removeEventListener("abort", abort);
    }
    if (signal.aborted) throw abortReason(signal);
    if (found === null && (queue.left || over.signal.aborted)) throw failure;
    return found;
  }

  #tell(searched: number, total: number): void {
    if (searched <= this.searched) return;
    this.searched = searched;
    const elapsedMs = performance.now() - this.#began;
    // Clocks are coarse: a speed that is not known yet is not reported, unless there will be no other report.
    if (elapsedMs > 0 || searched === total) this.#context.onProgress({ searched, total, elapsedMs });
  }
}
