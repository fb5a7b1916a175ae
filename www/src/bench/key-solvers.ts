/** The two solvers of ALTCHA version 2 on the page, each with as many workers as its users get. */
import { solve } from "saltmine";
import { type KeyChallenge, keyContestant } from "./key-challenge.js";
import type { Contestant } from "./rival.js";
import { cause, MISSING, NO_WORKER } from "./saltmine.js";

/** The package's own `solve`. */
export const saltmineKeys = (signal: AbortSignal): Contestant =>
  keyContestant(async (challenge, last) => {
    // The workers start anew for each challenge: the rate is that after the first quarter, when all of them run.
    let from = { at: performance.now(), keys: 0 };
    const { counter, keys, backend } = await solve(challenge, {
      engine: "simd128",
      signal,
      onProgress: ({ searched }) => {
        if (from.keys === 0 && searched > last / 4) from = { at: performance.now(), keys: searched };
      },
    });
    const now = performance.now();
    if (backend.thread !== "worker") throw new Error(NO_WORKER, { cause: cause(backend) });
    if (backend.engine !== "simd128") throw new Error(MISSING[backend.engine], { cause: cause(backend) });
    return { counter, ms: ((now - from.at) / Math.max(1, keys - from.keys)) * (last + 1) };
  });

interface WidgetAnswer {
  counter?: number;
  error?: unknown;
}

/** The `altcha` widget's own workers, with its own messages; an abort ends them. */
export class WidgetKeys {
  readonly #signal: AbortSignal;
  #workers: Worker[] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.close());
  }

  contestant(): Contestant {
    return keyContestant((challenge) => this.#find(challenge));
  }

  close(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
  }

  readonly #find = async (challenge: KeyChallenge) => {
    this.#signal.throwIfAborted();
    if (this.#workers.length === 0) this.#workers = Array.from({ length: widgetWorkers() }, startWorker);
    const workers = this.#workers;
    const began = performance.now();
    let found: { counter: number; ms: number } | undefined;
    const onAnswer = (answer: WidgetAnswer | null) => {
      if (answer?.error !== undefined) throw new Error(String(answer.error));
      if (answer?.counter === undefined || found) return;
      found = { counter: answer.counter, ms: performance.now() - began };
      for (const worker of workers) worker.postMessage({ type: "abort" });
    };
    const work = { type: "work", challenge, counterMode: "uint32", counterStep: workers.length, timeout: 0 };
    await Promise.all(
      workers.map(async (worker, counterStart) => {
        onAnswer(await ask(worker, { ...work, counterStart }, this.#signal));
      }),
    );
    if (!found) throw new Error("It found nothing.");
    return found;
  };
}

/** How many workers the widget starts. */
export function widgetWorkers(): number {
  const { hardwareConcurrency: threads, deviceMemory = 8 } = navigator as Navigator & {
    deviceMemory?: number;
  };
  return Math.max(1, Math.min(16, deviceMemory <= 4 ? 4 : 16, threads || 2));
}

// The literal expression is for the bundler, which makes a file of its own of it.
const startWorker = () =>
  new Worker(new URL("./widget-worker.ts", import.meta.url), { type: "module", name: "altcha widget" });

const ask = (worker: Worker, work: object, signal: AbortSignal) =>
  new Promise<WidgetAnswer | null>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    worker.onmessage = ({ data }: MessageEvent<WidgetAnswer | null>) => {
      signal.removeEventListener("abort", onAbort);
      resolve(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(NO_WORKER, { cause: event.message || "" }));
    };
    worker.postMessage(work);
  });
