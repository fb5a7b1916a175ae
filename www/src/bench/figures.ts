/** How the page writes its numbers. */
import { ms } from "../page.js";

const digits = (value: number, most: number) =>
  new Intl.NumberFormat("en", { minimumFractionDigits: most, maximumFractionDigits: most }).format(value);

/** Millions of hashes a second: `16.6`, `0.103`. */
export const mhs = (value: number): string => digits(value, value < 1 ? 3 : 1);

/** Keys a second of millions a second: `1,246`. */
export const keys = (value: number): string => digits(value * 1e6, 0);

/** How many times as fast: `160`, `6.0`. */
export const times = (value: number): string => digits(value, value < 20 ? 1 : 0);

/** The largest number of a challenge as the service issues it; half of it is tried on average. */
const USUAL_MAX_NUMBER = 50_000;

/** Milliseconds that a usual challenge takes on average at a rate. */
export const usualMs = (rate: number): string => ms(USUAL_MAX_NUMBER / 2 / (rate * 1_000));

/** The counters of a challenge of version 2 as the service issues it with its defaults: from 400 to 800. */
const USUAL_KEYS = 600;

/** Milliseconds that a usual challenge of version 2 takes on average at a rate. */
export const usualKeysMs = (rate: number): string => ms(USUAL_KEYS / (rate * 1_000));
