/** The rows of the comparison: this package's engines, and the other solvers, each in a worker of this page. */
import { type Entrant, USUAL_KEYS } from "./entrants.js";
import { saltmineKeys, WidgetKeys } from "./key-solvers.js";
import { type Contestant, enter } from "./rival.js";
import { type Answer, contestant, type Question } from "./ring.js";
import type { Row } from "./rounds.js";
import { saltmine } from "./saltmine.js";

/** Rows for one run, those of version 2 last; an abort ends all their work. `close()` ends the workers that were started for it. */
export function makeRows(entrants: readonly Entrant[], signal: AbortSignal): { rows: Row[]; close(): void } {
  const widget = new WidgetKeys(signal);
  const rings: Ring[] = [];
  const rows = entrants.map(({ name, engine }): Row => {
    if (engine) return { name, ...lazily(() => enter(saltmine(engine, signal))) };
    const ring = new Ring(name, signal);
    rings.push(ring);
    return { name, ...contestant(name, (question) => ring.ask(question)) };
  });
  rows.push({ name: "keys-saltmine", ...saltmineKeys(signal) }, { name: USUAL_KEYS, ...widget.contestant() });
  const close = () => {
    widget.close();
    for (const ring of rings) ring.close();
  };
  return { rows, close };
}

/** A solver that is loaded at its first turn, so that only its own row fails. */
function lazily(load: () => Promise<Contestant>): Contestant {
  let loaded: Promise<Contestant> | undefined;
  const entered = () => (loaded ??= load());
  return {
    warmUp: async (salt, forMs) => (await entered()).warmUp(salt, forMs),
    measure: async (salt, last) => (await entered()).measure(salt, last),
  };
}

/** One worker, started with the first question. */
class Ring {
  readonly #name: string;
  readonly #signal: AbortSignal;
  #worker: Worker | undefined;

  constructor(name: string, signal: AbortSignal) {
    this.#name = name;
    this.#signal = signal;
    // A search of another solver cannot be stopped, but its worker can be ended.
    signal.addEventListener("abort", () => this.close());
  }

  ask(question: Question): Promise<Answer> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      const over = <T>(end: (value: T) => void) => {
        return (value: T) => {
          signal.removeEventListener("abort", onAbort);
          end(value);
        };
      };
      // The literal expression is for the bundler, which makes a file of its own of it.
      this.#worker ??= new Worker(new URL("./worker.ts", import.meta.url), {
        type: "module",
        name: this.#name,
      });
      const settle = over(resolve);
      const fail = over(reject);
      this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => settle(data);
      this.#worker.onerror = (event) => {
        event.preventDefault();
        fail(new Error("No worker can be started here.", { cause: event.message || "" }));
      };
      this.#worker.postMessage(question);
    });
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
