/** `solve()` for a challenge of version 2. Failures are thrown as plain data. */
import type { Failure } from "../common/errors.js";
import { tell } from "../common/listener.js";
import type { SolveOptionsV2, SolveResultV2 } from "../solver/solve-types.js";
import type { ChallengeV2 } from "./challenge.js";
import type { KeyEngine } from "./messages.js";
import { MAX_COUNTER, type SearchOptions, solveKeys } from "./search.js";

/** The parts that the caller has started, and the time of the call. */
export interface SolveContext extends Pick<SearchOptions, "assets" | "spawn" | "wasm" | "signal"> {
  began: number;
}

/** Solves the challenge. */
export async function solveAlone(
  challenge: ChallengeV2,
  asked: SolveOptionsV2,
  { began, ...context }: SolveContext,
): Promise<SolveResultV2> {
  const { onProgress, maxCounter } = asked;
  const start = wholeNumber("start", asked.start ?? 0, 0, MAX_COUNTER);
  const last = wholeNumber("maxCounter", maxCounter ?? MAX_COUNTER, 0, MAX_COUNTER);
  const total = maxCounter === undefined ? null : last - start + 1;
  const workers = asked.workers === undefined ? undefined : wholeNumber("workers", asked.workers, 1, 64);
  const engine = engineOption(asked.engine);
  const { found, tried, reason, ...backend } = await solveKeys(challenge, {
    start,
    last,
    workers,
    engine,
    ...context,
    onProgress: (searched, elapsedMs) => {
      const keysPerSecond = elapsedMs > 0 ? (searched / elapsedMs) * 1000 : 0;
      tell(onProgress, { searched, total, share: total && Math.min(1, searched / total), keysPerSecond });
    },
  });
  if (!found) throw { code: "no_solution" } satisfies Failure;
  return {
    ...found,
    tookMs: performance.now() - began,
    keys: tried,
    backend: reason ? { ...backend, reason } : backend,
  };
}

const ENGINES: readonly KeyEngine[] = ["simd128", "scalar", "webcrypto"];

function engineOption(value: unknown): KeyEngine | undefined {
  if (value === undefined || ENGINES.includes(value as KeyEngine)) return value as KeyEngine | undefined;
  throw invalid("engine", `must be "simd128", "scalar" or "webcrypto", not ${String(value)}.`);
}

function wholeNumber(field: string, value: unknown, min: number, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(field, `must be an integer from ${min} to ${max}, not ${String(value)}.`);
}

const invalid = (field: string, detail: string) =>
  ({ code: "invalid_options", field, detail }) satisfies Failure;
