/** Runs flows with the challenge's route that this service has, and remembers which one that is. */
import type { FlowRunner } from "../solver/flow-runner.js";
import type { ChallengeRoute } from "./challenge-route.js";

/** Returns a runner whose flows request the challenge where the service has it. */
export function routedFlow(runner: FlowRunner, route: ChallengeRoute): Pick<FlowRunner, "run"> {
  const run: FlowRunner["run"] = async (about) => {
    const outcome = await runner.run({ ...about, challengePaths: route.paths });
    const { value } = outcome;
    const isOff = value.type === "granted" ? !value.proofOfWork : value.header === undefined;
    // With a solution that was prepared ahead no challenge was requested.
    if (value.challengePath !== undefined || (isOff && about.solution === undefined))
      route.learn(value.challengePath);
    return outcome;
  };
  return {
    run: (about) =>
      run(about).catch((error) => {
        // Proof of work was off when the service was last asked.
        if (error?.code === "pow_required" && route.forget()) return run(about);
        throw error;
      }),
  };
}
