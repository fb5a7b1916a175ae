/** The few numbers that a list of measurements is told by. */

/** Median, the middle half (`lower` to `upper`), and the extremes. */
export function quartiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => {
    const position = share * (sorted.length - 1);
    const [below, above] = [Math.floor(position), Math.ceil(position)];
    return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
  };
  return { median: at(0.5), lower: at(0.25), upper: at(0.75), low: sorted[0], high: sorted.at(-1) };
}
