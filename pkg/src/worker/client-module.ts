/** Instances of the wasm module, connected to JavaScript by the script that wasm-bindgen wrote. */
import { createGlue } from "#client";
import { describe } from "../common/describe.js";

/** The functions that the module exports. */
export type ClientModule = Pick<typeof import("./wasm.js"), "session" | "solve" | "search">;

/** The exports of an instance, by name. */
type Exports = Record<string, unknown>;

/** An instance that is ready to work. */
export interface Instance {
  client: ClientModule;
  /** The variant of the module, for an instance of WebAssembly. */
  variant?: "simd128" | "scalar";
  /** Whether the instance has trapped: it cannot be used any more. */
  hasTrapped(): boolean;
  /** Calls a function when the instance has trapped. */
  onTrap(listener: (reason: string) => void): void;
}

type Instantiate = (imports: WebAssembly.Imports) => Promise<Exports> | Exports;

/** This realm's instance, also while it is being made: engines on the page share one. */
let current: Promise<Instance> | undefined;

/**
 * Returns this realm's instance, made of `instantiate`'s exports where there is none, or none that has not trapped.
 * `imports` of it are what the module imports.
 */
export function connect(instantiate: Instantiate): Promise<Instance> {
  if (current) return current;
  const forget = () => {
    if (current === making) current = undefined;
  };
  const making = make(instantiate, forget);
  current = making;
  // The next call tries again.
  making.catch(forget);
  return making;
}

/** Makes an instance; `forget` is called when it has trapped. */
async function make(instantiate: Instantiate, forget: () => void): Promise<Instance> {
  let trapped: string | undefined;
  /** A trapped instance does nothing any more: no caller waits for it, and its error has been reported. */
  const guard = <T>(run: () => T): T | undefined => {
    try {
      return trapped === undefined ? run() : undefined;
    } catch (error) {
      if (trapped === undefined) throw error;
      return undefined;
    }
  };
  const glue = createGlue(guard);
  const exports = await instantiate({ g: glue.imports });
  const listeners: ((reason: string) => void)[] = [];
  // An error that passes through the module leaves it in an unknown state, and a future of it unfinished.
  const watched = Object.entries(exports).map(([name, value]) => {
    if (typeof value !== "function") return [name, value];
    const call = (...args: unknown[]) => {
      if (trapped !== undefined) return undefined;
      try {
        return value(...args);
      } catch (error) {
        trapped = describe(error);
        forget();
        for (const listener of listeners.splice(0)) listener(trapped);
        throw error;
      }
    };
    return [name, call];
  });
  glue.__wbg_set_wasm(Object.fromEntries(watched));
  return {
    client: glue,
    hasTrapped: () => trapped !== undefined,
    onTrap: (listener) => (trapped === undefined ? void listeners.push(listener) : listener(trapped)),
  };
}
