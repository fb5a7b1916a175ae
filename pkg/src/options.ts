/** Options as they come in: checked once, each with its default. */
import { SaltmineError } from "./errors.js";

/** The largest `maxnumber` that is searched unless the caller says otherwise: the member is not signed. */
export const DEFAULT_MAX_NUMBER = 10_000_000;

/** Throws `invalid_options`, naming the option and what it should be. */
export function invalid(field: string, detail: string): never {
  throw new SaltmineError({ code: "invalid_options", field, detail });
}

/** A whole number in a range, or the default. */
export function wholeNumber(
  field: string,
  value: unknown,
  fallback: number,
  min: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    invalid(field, `It must be a whole number from ${min} to ${max}.`);
  }
  return value;
}

/** The ceiling on a challenge's range. */
export function maxNumberOption(value: unknown): number {
  return wholeNumber("maxNumber", value, DEFAULT_MAX_NUMBER, 0, Number.MAX_SAFE_INTEGER);
}
