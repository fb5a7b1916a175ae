/** Instances of the wasm module, connected to JavaScript by the script that wasm-bindgen wrote. */
import * as glue from "#client";
import { describe } from "../common/describe.js";

/** The functions that the module exports. */
export type ClientModule = Pick<typeof import("./wasm.js"), "session" | "solve" | "search">;

/** What the glue needs to know of an instance. */
type Exports = Record<string, unknown>;

/** An instance that is ready to work. */
export interface Instance {
  client: ClientModule;
  /** Calls a function when the instance has trapped: it cannot be used any more. */
  onTrap(listener: (reason: string) => void): void;
}

/** The glue has one instance at a time. */
let taken: Instance | undefined;
let trapped: string | undefined;

/**
 * Returns this realm's one instance, made of `instantiate`'s exports at the first call. `imports` of it are what the
 * module imports.
 */
export async function connect(
  instantiate: (imports: WebAssembly.Imports) => Promise<Exports> | Exports,
): Promise<Instance> {
  if (trapped !== undefined) throw new Error(`the engine stopped before: ${trapped}`);
  if (taken) return taken;
  const exports = await instantiate({ g: glue.imports });
  if (taken) return taken;
  const listeners: ((reason: string) => void)[] = [];
  // An error that passes through the module leaves it in an unknown state, and a future of it unfinished.
  const watched = Object.entries(exports).map(([name, value]) => {
    if (typeof value !== "function") return [name, value];
    const call = (...args: unknown[]) => {
      try {
        return value(...args);
      } catch (error) {
        trapped ??= describe(error);
        for (const listener of listeners.splice(0)) listener(trapped);
        throw error;
      }
    };
    return [name, call];
  });
  glue.__wbg_set_wasm(Object.fromEntries(watched));
  taken = { client: glue as unknown as ClientModule, onTrap: (listener) => void listeners.push(listener) };
  return taken;
}
