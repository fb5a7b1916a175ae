/** The worker of one solver, and the two sides of its messages. */
import { type Contestant, enter, type Rival } from "./rival.js";

/** Page to worker; the first message has the name of the solver to load. */
export type Question = { rival: string; salt: string } & ({ warmUpMs: number } | { last: number });

/** Worker to page, in the order of the questions. */
export type Answer = { hashesPerMs: number } | { ms: number } | { failed: string };

/** The worker's side: handles the questions about a solver. */
export function answerer(rivals: Record<string, Rival>): (question: Question) => Promise<Answer> {
  let entered: Promise<Contestant> | undefined;
  return async (question) => {
    try {
      const rival = rivals[question.rival];
      if (!rival) throw new Error(`There is no ${question.rival} here.`);
      const contestant = await (entered ??= enter(rival));
      if ("warmUpMs" in question)
        return { hashesPerMs: await contestant.warmUp(question.salt, question.warmUpMs) };
      return { ms: await contestant.measure(question.salt, question.last) };
    } catch (error) {
      return { failed: error instanceof Error ? error.message : String(error) };
    }
  };
}

/** The page's side: a solver whose calls are sent to its worker. */
export function contestant(rival: string, ask: (question: Question) => Promise<Answer>): Contestant {
  const told = async (question: Question) => {
    const answer = await ask(question);
    if ("failed" in answer) throw new Error(answer.failed);
    return answer as { hashesPerMs: number; ms: number };
  };
  return {
    warmUp: async (salt, warmUpMs) => (await told({ rival, salt, warmUpMs })).hashesPerMs,
    measure: async (salt, last) => (await told({ rival, salt, last })).ms,
  };
}
