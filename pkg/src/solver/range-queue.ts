/** A range in parts: each part goes to one engine, and to another one if that engine fails. */
import type { Range } from "./messages.js";

/** The intended duration of a part, in seconds. */
const PART_SECONDS = 0.25;
/** A range smaller than this does not justify a message. */
const SMALLEST_PART = 16_384;

/** The parts of `start..=end`. */
export class RangeQueue {
  readonly #end: number;
  readonly #returned: Range[] = [];
  #next: number;

  constructor({ start, end }: Range) {
    this.#next = start;
    this.#end = end;
  }

  /** Whether a part waits for an engine. */
  get left(): boolean {
    return this.#returned.length > 0 || this.#next <= this.#end;
  }

  /**
   * Returns the next part for an engine, by its share of the speed of all engines; undefined when no part is left. The
   * last parts are small, so that all engines end at about the same time.
   */
  take(hashesPerSecond: number, together: number): Range | undefined {
    const returned = this.#returned.pop();
    if (returned) return returned;
    if (this.#next > this.#end) return undefined;
    const rest = this.#end - this.#next + 1;
    const size = Math.max(
      SMALLEST_PART,
      Math.min(hashesPerSecond * PART_SECONDS, (rest / 2) * (hashesPerSecond / together)),
    );
    const start = this.#next;
    this.#next = Math.min(this.#end + 1, start + Math.ceil(size));
    return { start, end: this.#next - 1 };
  }

  /** Takes back a part that was not finished. */
  putBack(lease: Range): void {
    this.#returned.push(lease);
  }
}
