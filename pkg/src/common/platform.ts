/** Types that depend on the libraries of the program that imports the package: without the DOM's some do not exist. */

/** The type of the instances of a global class; `Fallback` where the program's libraries do not have the class. */
type InstanceOf<Name extends string, Fallback> = typeof globalThis extends {
  [K in Name]: { prototype: infer Instance };
}
  ? Instance
  : Fallback;

/** The global `AbortSignal`. */
export type AbortSignalType = InstanceOf<
  "AbortSignal",
  { readonly aborted: boolean; readonly reason: unknown }
>;
/** The global `AbortController`. */
export type AbortControllerType = InstanceOf<
  "AbortController",
  { readonly signal: AbortSignalType; abort(reason?: unknown): void }
>;
/** The global `URL`. */
export type URLType = InstanceOf<"URL", { readonly href: string }>;
/** The global `Worker`. */
export type WorkerType = InstanceOf<"Worker", object>;
/** The global `fetch`. */
export type FetchType = typeof globalThis extends { fetch: infer Fetch extends (...args: never[]) => unknown }
  ? Fetch
  : (input: string, init?: object) => Promise<object>;

/** A member for `using` declarations, where the program's library has `Symbol.dispose`; else nothing. */
export type DisposeMember = SymbolConstructor extends { readonly dispose: infer Dispose extends symbol }
  ? { [K in Dispose]: () => void }
  : object;
