/** The progress of a search for a challenge of version 1. */
export interface Progress {
  /** The number of tried candidates. */
  searched: number;
  /** The number of candidates in the whole range. */
  total: number;
  /** `searched / total`, from 0 to 1. */
  share: number;
  /** The average rate of the search so far. */
  hashesPerSecond: number;
}

/** The progress of a search for a challenge of version 2. */
export interface ProgressV2 {
  /** The number of derived keys. */
  searched: number;
  /** The number of counters in the whole range; null when the server's range is not known. */
  total: number | null;
  /** `searched / total`, from 0 to 1; null when the server's range is not known. */
  share: number | null;
  /** The average rate of the search so far. */
  keysPerSecond: number;
}

/** Progress as an engine measures it. */
export interface Measured {
  searched: number;
  total: number;
  elapsedMs: number;
}

/** The progress of a search of keys, whose range only the server knows. */
export interface MeasuredKeys {
  searched: number;
  total: null;
  elapsedMs: number;
}

/** The measurements of a search of either version. */
export type MeasuredSearch = Measured | MeasuredKeys;

/** Progress for a caller. */
export function progressOf(measured: Measured): Progress;
export function progressOf(measured: MeasuredSearch): Progress | ProgressV2;
export function progressOf({ searched, total, elapsedMs }: MeasuredSearch): Progress | ProgressV2 {
  const perSecond = elapsedMs > 0 ? (searched / elapsedMs) * 1000 : 0;
  return total === null
    ? { searched, total, share: null, keysPerSecond: perSecond }
    : { searched, total, share: searched / total, hashesPerSecond: perSecond };
}
