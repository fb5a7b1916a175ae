/** Errors about options. */
import { SaltmineError } from "./errors.js";

/** Throws `invalid_options`; `detail` continues "Invalid option `field`: ". */
export function invalid(field: string, detail: string): never {
  throw new SaltmineError({ code: "invalid_options", field, detail });
}

/** Returns a value for a message. */
export const shown = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value.slice(0, 100))
    : Array.isArray(value)
      ? "an array"
      : `${typeof value === "object" && value ? "an object" : String(value)}`;
