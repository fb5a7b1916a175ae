/** How far a search has come. */
export interface Progress {
  /** Candidates tried. */
  searched: number;
  /** Candidates in the whole range. */
  total: number;
  /** `searched / total`, from 0 to 1. */
  share: number;
  /** Over the whole search so far. */
  hashesPerSecond: number;
}

/** How far the search of a challenge of version 2 has come. */
export interface ProgressV2 {
  /** Keys derived. */
  searched: number;
  /** Counters in the whole range; null when the server's range is not known. */
  total: number | null;
  /** `searched / total`, from 0 to 1; null when the server's range is not known. */
  share: number | null;
  /** Over the whole search so far. */
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

/** What was measured of a search of either version. */
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
