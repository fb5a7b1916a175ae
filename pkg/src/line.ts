/** A line before a limited number of seats. */
export class Line {
  #free: number;
  readonly #waiting: ((seats: number) => void)[] = [];

  constructor(seats: number) {
    this.#free = seats;
  }

  /** Does work when there is a seat for it; whoever waits at the same time gets about the same number of seats. */
  async take<T>(work: (seats: number) => Promise<T>): Promise<T> {
    const seats = await new Promise<number>((resolve) => {
      this.#waiting.push(resolve);
      // Those who ask in the same moment are counted first.
      queueMicrotask(() => this.#serve());
    });
    try {
      return await work(seats);
    } finally {
      this.#free += seats;
      this.#serve();
    }
  }

  #serve(): void {
    while (this.#free > 0 && this.#waiting.length > 0) {
      const seats = Math.ceil(this.#free / this.#waiting.length);
      this.#free -= seats;
      this.#waiting.shift()?.(seats);
    }
  }
}
