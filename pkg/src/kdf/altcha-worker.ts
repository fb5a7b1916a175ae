/**
 * A worker of `saltmine/altcha-workers`: handles the messages of the `altcha` widget 3.x and of altcha-lib 2.x in the
 * same way as their own workers.
 */
import { describe } from "../common/describe.js";
import { readParameters } from "./challenge.js";
import { groupSize, openEngine } from "./engine.js";
import { fasterEngine } from "./webcrypto.js";

/** A message from the widget. */
interface Work {
  type: "work" | "abort";
  challenge: unknown;
  counterMode?: "uint32" | "string";
  /** The index of this worker; another number is the first counter. */
  counterStart?: number;
  /** How many workers there are, or the distance between two counters. */
  counterStep?: number;
  /** In milliseconds; 0 is none. */
  timeout?: number;
}

declare const self: {
  onmessage: ((event: { data: Work }) => void) | null;
  postMessage(answer: { error: string } | { counter: number; derivedKey: string; time: number } | null): void;
};

/** The time between two pauses of a search, in which the thread can receive an abort, in milliseconds. */
const PAUSE_MS = 200;
const DEFAULT_TIMEOUT_MS = 90_000;

let isAborted = false;

async function solve(work: Work) {
  const { challenge, counterMode, counterStart = 0, counterStep = 1, timeout = DEFAULT_TIMEOUT_MS } = work;
  const began = performance.now();
  const parameters = readParameters(challenge, counterMode === "string");
  const opened = await openEngine({ parameters, engine: undefined, urls: {} });
  const compares = counterStep === 1 || opened.engine === "scalar";
  const engine = compares ? fasterEngine(opened, parameters) : opened;
  // The workers share the counters in groups of consecutive ones: a group is tried at a time. Its size does not depend on the
  // engine, which may be another one in each worker.
  const isIndex = counterStart < counterStep;
  const size = isIndex || counterStep === 1 ? groupSize(parameters) : 1;
  const last = parameters.isDecimal ? Number.MAX_SAFE_INTEGER : 2 ** 32 - 1;
  let paused = began;
  const start = isIndex ? counterStart * size : counterStart;
  for (let first = start; first <= last; first += counterStep * size) {
    const found = await engine.search(first, Math.min(size, last - first + 1));
    const now = performance.now();
    if (found) return { ...found, time: Math.floor((now - began) * 10) / 10 };
    if (isAborted || (timeout && now - began > timeout)) return null;
    if (now - paused > PAUSE_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      paused = performance.now();
    }
  }
  return null;
}

self.onmessage = ({ data }) => {
  if (data.type === "abort") isAborted = true;
  else if (data.type === "work") {
    isAborted = false;
    solve(data).then(
      (solution) => self.postMessage(solution),
      // The widget starts half as many workers again if the text contains "Out of memory".
      (error) => self.postMessage({ error: messageOf(error) }),
    );
  }
};

function messageOf(error: unknown): string {
  const { code, field } = Object(error) as { code?: string; field?: string };
  return code ? `${code}${field ? ` (${field})` : ""}` : describe(error);
}
