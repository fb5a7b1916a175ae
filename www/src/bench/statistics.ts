/** The few numbers that describe a list of measurements. */

export interface Quartiles {
  median: number;
  /** The middle half of the values is between `lower` and `upper`. */
  lower: number;
  upper: number;
  low: number;
  high: number;
}

/** Returns the statistics of at least one value. */
export function quartiles(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const position = share * (sorted.length - 1);
    const [below, above] = [Math.floor(position), Math.ceil(position)];
    const low = sorted[below] as number;
    return low + ((sorted[above] as number) - low) * (position - below);
  };
  return { median: at(0.5), lower: at(0.25), upper: at(0.75), low: at(0), high: at(1) };
}
