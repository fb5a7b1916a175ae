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

/** Progress as an engine measures it. */
export interface Measured {
  searched: number;
  total: number;
  elapsedMs: number;
}

/** Progress for a caller. */
export function progressOf({ searched, total, elapsedMs }: Measured): Progress {
  return {
    searched,
    total,
    share: searched / total,
    hashesPerSecond: elapsedMs > 0 ? (searched / elapsedMs) * 1000 : 0,
  };
}
