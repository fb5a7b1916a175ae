/**
 * Chromium, Firefox and WebKitGTK behind one small interface, for suites and measurements alike.
 *
 * A browser: `name`, `title` (with its version), `open(url)`, which gives a page in the one profile that it has, and
 * `close()`. A page: `evaluate(work, argument)`, which calls a function in it and waits for its promise; `goto(url)`,
 * `reload()`, `close()`; `workers()`, how many of its workers run; and `complaints`, the errors on its console and
 * those that nobody caught, or nothing where the protocol does not tell.
 */
import { openChromium } from "./chromium.mjs";
import { MissingBrowser } from "./find.mjs";
import { openFirefox } from "./firefox.mjs";
import { openWebKit } from "./webkit.mjs";

export { MissingBrowser };

const OPEN = { chromium: openChromium, firefox: openFirefox, webkit: openWebKit };

export const BROWSERS = Object.keys(OPEN);

/**
 * Starts it, with a fresh profile; throws `MissingBrowser` where this machine cannot, Chromium aside, which it must
 * have. `fineClock`: a clock finer than visitors have. `blocked` is what a visitor forbids: `"third-party"` cookies, or
 * all `"storage"`.
 */
export async function launch(name, { fineClock = false, blocked } = {}) {
  const browser = await OPEN[name]({ fineClock, blocked }).catch((error) => {
    if (name === "chromium" || error instanceof MissingBrowser) throw error;
    throw new MissingBrowser(`${name} does not start here: ${error.message}`, { cause: error });
  });
  return { name, ...browser };
}

/** Waits until the page has no worker left; fails after `limitMs`. */
export async function workersEnded(page, limitMs) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const count = await page.workers();
    if (count === 0) return;
    if (Date.now() > deadline) throw new Error(`${count} workers are left after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
