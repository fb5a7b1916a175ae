/** A queue for a limited number of workers. */
export class WaitingQueue {
  #free: number;
  readonly #waiting: { enter(): void; leave(reason: unknown): void }[] = [];

  constructor(seats: number) {
    this.#free = seats;
  }

  /** Runs `work` when a worker is free. `more` takes all workers that are free then, and returns how many it has. */
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
      // Each worker goes to the next caller in the queue, or is free.
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
