/** The counters of a search, in small blocks for its workers. */

/** How long a block should take, in milliseconds: short, since a solution waits for no other block. */
const BLOCK_MS = 20;
const LARGEST_BLOCK = 65_536;

/** A block of consecutive counters. */
export interface Block {
  first: number;
  count: number;
}

/** The counters from `first` to `last`. */
export class Counters {
  readonly #last: number;
  readonly #returned: Block[] = [];
  #next: number;

  constructor(first: number, last: number) {
    this.#next = first;
    this.#last = last;
  }

  /**
   * Returns the next block for a worker that tries `width` counters at a time and took `msPerCounter` for each so far
   * (0 when that is not known); undefined when no counter is left.
   */
  take(width: number, msPerCounter: number): Block | undefined {
    const returned = this.#returned.pop();
    if (returned) return returned;
    if (this.#next > this.#last) return undefined;
    const first = this.#next;
    const wanted = msPerCounter > 0 ? Math.min(LARGEST_BLOCK, BLOCK_MS / msPerCounter) : width;
    const count = Math.min(Math.max(1, Math.round(wanted / width)) * width, this.#last - first + 1);
    this.#next += count;
    return { first, count };
  }

  /** Takes back a block that was not finished. */
  putBack(block: Block): void {
    this.#returned.push(block);
  }
}
