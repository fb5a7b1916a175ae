/** Solves a challenge of version 2: a separate chunk, loaded with the first of them. Failures are plain data. */
import type { Failure } from "../common/errors.js";
import { readParameters } from "./challenge.js";
import type { KeyEngine } from "./messages.js";
import { KeySearchPool, type SearchOptions, type SearchResult } from "./search.js";

/** The last counter of a challenge: it is written in four bytes. */
export const MAX_COUNTER = 2 ** 32 - 1;

/** The options of {@link solveKeys}. */
export interface SolveKeysOptions extends Omit<SearchOptions, "parameters" | "last" | "engine"> {
  /** The last counter; the largest that there is when undefined. */
  last?: number | undefined;
  engine?: KeyEngine | undefined;
  /** The counter is written in decimal digits. */
  isDecimal?: boolean;
}

/** Solves the challenge; `found` is undefined when there is no solution. Throws a {@link Failure}. */
export async function solveKeys(
  challenge: unknown,
  { isDecimal = false, last, engine, ...options }: SolveKeysOptions,
): Promise<SearchResult> {
  const parameters = readParameters(challenge, isDecimal);
  const max = isDecimal ? Number.MAX_SAFE_INTEGER : MAX_COUNTER;
  const search = { ...options, parameters, engine, last: Math.min(max, last ?? max) };
  if (search.start > search.last) throw { code: "no_solution" } satisfies Failure;
  return new KeySearchPool(search).run();
}
