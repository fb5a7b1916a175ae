/** Solves the challenge of version 2 that the flow of a session received. */
import type { Assets } from "../common/assets.js";
import type { Failure } from "../common/errors.js";
import type { Backend } from "../solver/messages.js";
import { readParameters } from "./challenge.js";
import { compile } from "./compile.js";
import type { KeyEngine } from "./messages.js";
import { moduleUrls } from "./search.js";
import { solveKeys } from "./solve-keys.js";

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
export interface FlowSearchOptions {
  workers: number | undefined;
  engine: KeyEngine | undefined;
  /** Where the package's files are. */
  assets: Assets;
  signal: AbortSignal;
  onProgress(searched: number, elapsedMs: number): void;
}

/** Compiles the module that the challenge in `response` needs, ahead. Errors are reported later. */
export async function prepareForFlow(
  response: string,
  engine: KeyEngine | undefined,
  assets: Assets,
): Promise<void> {
  if (engine === "webcrypto") return;
  const parameters = readParameters(JSON.parse(response));
  await compile(parameters.module, engine, moduleUrls(parameters, assets));
}

/** Solves the challenge, a JSON text; null when there is no solution. Throws a {@link Failure}. */
export async function solveForFlow(text: string, options: FlowSearchOptions): Promise<FlowSolution | null> {
  const began = performance.now();
  let challenge: unknown;
  try {
    challenge = JSON.parse(text);
  } catch (cause) {
    throw { code: "challenge_malformed", cause } satisfies Failure & { cause: unknown };
  }
  const { found, tried: keys, reason, ...backend } = await solveKeys(challenge, { start: 0, ...options });
  if (!found) return null;
  const time = Math.floor((performance.now() - began) * 10) / 10;
  return { ...found, time, keys, backend: reason ? { ...backend, reason } : backend };
}
