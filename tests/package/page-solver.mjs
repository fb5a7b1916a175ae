/** `attempt` carried out inside a page. */
import { attempt } from "./attempt.mjs";

/** What `testSolve` needs, for a page and the package's address on its site. */
export function solverIn(page, door) {
  // As a handle, since a page's policy may forbid it to evaluate text.
  const loaded = page.evaluateHandle(`(${attempt})`);
  const inPage = async (challenges, options) =>
    page.evaluate(
      async ({ run, door, challenges, options }) => {
        const saltmine = await import(door);
        const outcomes = [];
        for (const challenge of challenges) outcomes.push(await run(saltmine, challenge, options));
        return outcomes;
      },
      { run: await loaded, door, challenges, options },
    );
  return {
    solve: async (challenge, options) => (await inPage([challenge], options))[0],
    solveAll: (challenges) => inPage(challenges),
  };
}
