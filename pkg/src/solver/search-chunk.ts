/**
 * The code for a search with several engines, and for a caller's own challenge: a separate chunk, loaded with the first
 * of them. It must not import modules that the package's entry point contains already.
 */
import type { Failure } from "../common/errors.js";
import type { Challenge, Engine } from "./messages.js";
import type { Measured } from "./progress.js";
import { ParallelSearch, type ParallelSearchContext } from "./parallel-search.js";
import type { SolveResult } from "./solve-types.js";

export { ParallelSearch };

const MEMBERS = ["algorithm", "challenge", "maxnumber", "salt", "signature", "expiresAt"] as const;

/**
 * Solves the challenge, with a number of engines that is proportional to the work. Failures are thrown as plain data.
 */
export async function solveOnce(
  challenge: Challenge,
  { engine, ...context }: Omit<ParallelSearchContext, "onProgress"> & { engine: Engine | undefined },
  onProgress: (measured: Measured) => void,
): Promise<SolveResult> {
  const began = performance.now();
  const search = new ParallelSearch({ ...context, onProgress });
  const wanted = engine === undefined ? {} : { engine, reason: "the caller asked for no better engine" };
  const number = await search.solve(sendable(challenge), wanted);
  const { backend, searched: hashes } = search;
  if (number === null || !backend) throw { code: "no_solution" } satisfies Failure;
  return { number, tookMs: performance.now() - began, hashes, backend };
}

/** The challenge as a plain object of plain values, since not every object can cross to a worker. */
function sendable(challenge: Challenge): Challenge {
  const given = Object(challenge) as Record<string, unknown>;
  const values = MEMBERS.map((name) => {
    let value: unknown;
    try {
      value = given[name];
    } catch (cause) {
      throw { code: "challenge_malformed", field: name, cause } satisfies Failure & { cause: unknown };
    }
    // An object in a member's place is as wrong as any other: the engine names the member.
    return [name, typeof value === "string" || typeof value === "number" || value == null ? value : {}];
  });
  return Object.fromEntries(values) as Challenge;
}
