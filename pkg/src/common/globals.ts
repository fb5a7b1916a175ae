/** The globals of a runtime: those that the client needs everywhere, and the address of the page. */
import { SaltmineError } from "./errors.js";

const NEEDED = [
  "AbortController",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "URLSearchParams",
  "atob",
  "performance",
] as const;

/** Throws `runtime_unsupported` with the names of the globals that this runtime does not have. */
export function requireGlobals(names: readonly (keyof typeof globalThis)[] = NEEDED): void {
  const missing = names.filter((name) => !globalThis[name]);
  if (missing.length > 0)
    throw new SaltmineError({ code: "runtime_unsupported", detail: missing.join(", ") });
}

/**
 * Returns the address that relative addresses of the page or the worker are relative to; undefined in Node. A frame by
 * `srcdoc` has no usable address of its own, but the base of the page around it.
 */
export const baseUrl = (): string | undefined => globalThis.document?.baseURI ?? globalThis.location?.href;
