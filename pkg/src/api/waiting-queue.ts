/** A line before a limited number of seats. */
export class WaitingQueue {
  #free: number;
  readonly #waiting: { enter(): void; leave(reason: unknown): void }[] = [];

  constructor(seats: number) {
    this.#free = seats;
  }

  /** Does work when there is a seat for it. `more` takes the seats that are free then, and returns how many it has. */
  async take<T>(work: (more: () => number) => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((enter, leave) => this.#waiting.push({ enter, leave }));
    let seats = 1;
    const more = () => {
      seats += this.#free;
      this.#free = 0;
      return seats;
    };
    try {
      return await work(more);
    } finally {
      // Each goes to the next in the line, or is free.
      for (; seats > 0; seats -= 1) {
        const next = this.#waiting.shift();
        if (next) next.enter();
        else this.#free += 1;
      }
    }
  }

  /** Rejects every waiting caller. */
  dismiss(reason: unknown): void {
    for (const { leave } of this.#waiting.splice(0)) leave(reason);
  }
}
