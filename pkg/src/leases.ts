/** A range handed out in parts: each part to one engine, again if that engine dies. */

export interface Lease {
  start: number;
  end: number;
}

/** Parts for each engine: small enough that a slow one does not hold the rest. */
const PARTS_PER_ENGINE = 8;
/** Less than this is not worth a message. */
const SMALLEST_PART = 65_536;

/** The parts of `0..=last` for some engines. */
export class Leases {
  readonly total: number;
  readonly #size: number;
  readonly #returned: Lease[] = [];
  #next = 0;

  constructor(last: number, engines: number) {
    this.total = last + 1;
    this.#size =
      engines === 1
        ? this.total
        : Math.max(SMALLEST_PART, Math.ceil(this.total / (engines * PARTS_PER_ENGINE)));
  }

  /** The next part, or undefined when all are handed out. */
  take(): Lease | undefined {
    const returned = this.#returned.pop();
    if (returned) return returned;
    if (this.#next >= this.total) return undefined;
    const start = this.#next;
    this.#next = Math.min(this.total, start + this.#size);
    return { start, end: this.#next - 1 };
  }

  /** A part that was not finished. */
  putBack(lease: Lease): void {
    this.#returned.push(lease);
  }
}
