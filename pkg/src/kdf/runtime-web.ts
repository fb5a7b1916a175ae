/** Browsers: memory and threads for the derivation of keys. */

/**
 * The assumed memory of the machine, in GiB, where the browser does not report it: Safari and Firefox never do,
 * Chromium only in a secure context. Most phones have this much; with a larger value the browser could stop the page.
 */
const ASSUMED_MEMORY = 4;

/** Returns the number of the machine's threads. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 2;

/** Returns the memory of the machine, in bytes. */
export const machineMemory = (): number =>
  ((globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? ASSUMED_MEMORY) * 2 ** 30;

/** The engine without a worker: its code is loaded only when this is called. */
export const loadKeyPageEngine = () => import("#kdf-page-engine");
