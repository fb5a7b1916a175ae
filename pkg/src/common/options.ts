/** Reads options: checks each once, and applies its default. */
import { threadCount } from "#runtime";
import type { Engine } from "../solver/types.js";
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

/** The default of the largest `maxnumber` that is searched: the member is not signed. */
export const DEFAULT_MAX_NUMBER = 10_000_000;

/** An integer in a range, or the default. */
export function wholeNumber(
  field: string,
  value: unknown,
  fallback: number,
  min: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    invalid(field, `must be an integer from ${min} to ${max}, not ${shown(value)}.`);
  }
  return value;
}

/** The ceiling on a challenge's range. */
export function maxNumberOption(value: unknown): number {
  return wholeNumber("maxNumber", value, DEFAULT_MAX_NUMBER, 0, Number.MAX_SAFE_INTEGER);
}

/** Returns the object of options; an empty one if there is none. */
export function optionsObject<T extends object>(value: T | undefined): T | Record<string, never> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null)
    invalid("options", `must be an object, not ${shown(value)}.`);
  return value;
}

/** Throws for a member that is not in a list of names, separated by ", "; members that are undefined are accepted. */
export function requireKnown(options: object, known: string, where = ""): void {
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !known.split(", ").includes(name))
      invalid(name, `does not exist${where}. The options are ${known}.`);
}

/** An AbortSignal, or none. */
export function signalOption(value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined;
  const { aborted, addEventListener } = Object(value) as Partial<AbortSignal>;
  if (typeof aborted !== "boolean" || typeof addEventListener !== "function") {
    invalid("signal", `must be an AbortSignal, not ${shown(value)}.`);
  }
  return value as AbortSignal;
}

/** A function, or none. */
export function listenerOption<T>(field: string, value: T): T {
  if (value !== undefined && typeof value !== "function")
    invalid(field, `must be a function, not ${shown(value)}.`);
  return value;
}

/** The default limit of the number of workers: more need memory and are rarely faster. */
const USUAL_WORKERS = 8;
const MOST_WORKERS = 64;

/** The most workers at a time. One thread is left for the page. */
export function workersOption(value: unknown): number {
  const usual = Math.min(Math.max(threadCount() - 1, 1), USUAL_WORKERS);
  return wholeNumber("workers", value, usual, 1, MOST_WORKERS);
}

/** The name of an engine, or none. */
export function engineOption(value: unknown): Engine | undefined {
  if (value === undefined || value === "simd128" || value === "scalar" || value === "javascript")
    return value;
  return invalid("engine", `must be "simd128", "scalar" or "javascript", not ${shown(value)}.`);
}
