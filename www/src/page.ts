/** Access to the page's elements, and formats of numbers. */

/** The element that the page marks with this `data-testid`. */
export function part<E extends HTMLElement = HTMLElement>(name: string, within: ParentNode = document): E {
  const element = within.querySelector<E>(`[data-testid="${name}"]`);
  if (!element) throw new Error(`The page lacks the part "${name}"`);
  return element;
}

/** A new element with a class and a text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

const whole = new Intl.NumberFormat("en");
const oneDigit = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** `50,001` */
export const count = (value: number): string => whole.format(Math.round(value));

/** Milliseconds without their unit: `3.4`, `38`. */
export const ms = (value: number): string => (value < 10 ? oneDigit.format(value) : count(value));

/** `14.2 million hashes/s` */
export function hashRate(hashesPerSecond: number): string {
  if (hashesPerSecond >= 1e6) return `${oneDigit.format(hashesPerSecond / 1e6)} million hashes/s`;
  return `${count(hashesPerSecond)} hashes/s`;
}
