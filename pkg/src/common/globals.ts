/** The globals that the client needs in every runtime. */
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
