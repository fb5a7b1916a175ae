/** Runs `attempt` in a page of any browser. */
import { attempt } from "./attempt.mjs";

// Text of a function that has the other within: a page's policy may forbid to evaluate text there.
const attemptAll = new Function(`return async ({ entryPoint, challenges, options }) => {
  const attempt = ${attempt};
  const saltmine = await import(entryPoint);
  const outcomes = [];
  for (const challenge of challenges) outcomes.push(await attempt(saltmine, challenge, options));
  return outcomes;
}`)();

/** The solver of `testSolve` for a page and the package's address on its site; `always` are options of every search. */
export function solverIn(page, entryPoint, always) {
  const inPage = (challenges, options) =>
    page.evaluate(attemptAll, { entryPoint, challenges, options: { ...always, ...options } });
  return {
    solve: async (challenge, options) => (await inPage([challenge], options))[0],
    solveAll: (challenges) => inPage(challenges),
  };
}
