/** Runs flows with the challenge's route that this service has, and remembers which one that is. */
import type { Flow, Outcome, Run } from "../solver/flow.js";
import type { ChallengeRoute } from "./challenge-route.js";

/** A flow that requests the challenge where the service has it. */
export class RoutedFlow implements Flow {
  readonly #flow: Flow;
  readonly #route: ChallengeRoute;

  constructor(flow: Flow, route: ChallengeRoute) {
    this.#flow = flow;
    this.#route = route;
  }

  async run(run: Run): Promise<Outcome> {
    try {
      return await this.#run(run);
    } catch (error) {
      // Proof of work was off when the service was last asked.
      if ((error as { code?: unknown } | undefined)?.code === "pow_required" && this.#route.forget())
        return this.#run(run);
      throw error;
    }
  }

  /** Forgets that proof of work is off: the service has required a solution. */
  forget(): void {
    this.#route.forget();
  }

  async #run(run: Run): Promise<Outcome> {
    const { paths: challengePaths, isOff: mayBeOff, keyModule: expectedKeyModule } = this.#route;
    const about = { challengePaths, expectedKeyModule, ...(mayBeOff && { mayBeOff }) };
    const outcome = await this.#flow.run({ ...run, ...about });
    const { value, keyModule } = outcome;
    const isOff = value.type === "granted" ? !value.proofOfWork : value.header === undefined;
    // With a solution that was prepared ahead no challenge was requested.
    if (value.challengePath !== undefined || (isOff && run.solution === undefined))
      this.#route.learn(value.challengePath, keyModule);
    return outcome;
  }
}
