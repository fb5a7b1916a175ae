/**
 * The code for challenges of version 2, a separate chunk that is loaded with the first of them: `solve()`, and the search for the
 * flow of a session.
 */
import type { Assets } from "../common/assets.js";
import type { Failure } from "../common/errors.js";
import type { Backend } from "../solver/messages.js";
import { readParameters } from "./challenge.js";
import { compile } from "./compile.js";
import type { KeyEngine, ModuleAhead } from "./messages.js";
import { moduleUrls, type SearchOptions, solveKeys } from "./search.js";

export { VERSION } from "../common/version.js";
export { solveAlone } from "./solve-alone.js";

/** The maximum duration of a search, in milliseconds: the expiry of a challenge may be unknown, or far. */
const MOST_SOLVING_MS = 600_000;

/** The solution that the flow continues with, and the engine of the search. */
export interface FlowSolution {
  counter: number;
  /** Hex digits. */
  derivedKey: string;
  /** The duration of the search, in milliseconds. */
  time: number;
  /** The number of derived keys. */
  keys: number;
  backend: Backend;
}

/** The options of {@link solveForFlow}. */
export interface FlowSearchOptions extends Omit<SearchOptions, "parameters" | "start" | "last"> {
  /** The time after which a solution would come too late, in milliseconds, if it is known. */
  limitMs: number | undefined;
}

/** Compiles the module that the challenge in `response` needs, ahead. Errors are reported later. */
export async function prepareForFlow(
  response: string,
  engine: KeyEngine | undefined,
  assets: Assets,
  wasm?: ModuleAhead,
): Promise<void> {
  if (engine === "webcrypto") return;
  const parameters = readParameters(JSON.parse(response));
  await compile(parameters.module, engine, moduleUrls(parameters, assets), wasm);
}

/**
 * Solves the challenge, a JSON text; null when there is no solution, or not within `limitMs`: the flow requests another
 * challenge when this one expires. Throws a {@link Failure}.
 */
export async function solveForFlow(
  text: string,
  { limitMs, ...options }: FlowSearchOptions,
): Promise<FlowSolution | null> {
  const began = performance.now();
  let challenge: unknown;
  try {
    challenge = JSON.parse(text);
  } catch (cause) {
    throw { code: "challenge_malformed", cause } satisfies Failure & { cause: unknown };
  }
  const { signal } = options;
  const search = new AbortController();
  const stop = () => search.abort();
  const isLimited = limitMs !== undefined && limitMs < MOST_SOLVING_MS;
  const timer = setTimeout(stop, isLimited ? limitMs : MOST_SOLVING_MS);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    const about = { ...options, start: 0, signal: search.signal };
    const { found, tried: keys, reason, ...backend } = await solveKeys(challenge, about);
    if (!found) return null;
    const time = Math.floor((performance.now() - began) * 10) / 10;
    return { ...found, time, keys, backend: reason ? { ...backend, reason } : backend };
  } catch (error) {
    if (!search.signal.aborted || signal.aborted) throw error;
    if (isLimited) return null;
    const detail = "There was no solution within 10 minutes.";
    throw { code: "pow_expired", detail } satisfies Failure;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
