/** The server's time as far as the page knows it: visitors' clocks are wrong by minutes and hours. */
export class ServerClock {
  /** The server's clock minus `Date.now()`, once a server has sent it. */
  #offsetMs: number | undefined;
  /** The server's clock minus `performance.now()`, which nobody sets, but which may stand still while the machine sleeps. */
  #steadyOffsetMs = Date.now() - performance.now();

  /** Whether a server has sent its time. */
  get isKnown(): boolean {
    return this.#offsetMs !== undefined;
  }

  /** Sets the clock from a response; NaN changes nothing. */
  learn(serverMs: number): void {
    if (Number.isNaN(serverMs)) return;
    this.#offsetMs = serverMs - Date.now();
    this.#steadyOffsetMs = serverMs - performance.now();
  }

  /** Returns Unix milliseconds: the later of the two clocks, so that a clock that is set back prolongs nothing. */
  nowMs(): number {
    return Math.max(Date.now() + (this.#offsetMs ?? 0), performance.now() + this.#steadyOffsetMs);
  }
}
