/** Pages with a client of the packed package: one site, one browser, as many tabs as a test wants. */
import { launchBrowser } from "./browser.mjs";
import { APP_ID } from "./service.mjs";
import { BLANK_PAGE, serveFiles } from "./static.mjs";
import { installTarball } from "./tarball.mjs";

/** A host that is no secure context: there are neither Web Locks nor `crypto.subtle`. */
export const PLAIN_HOST = "plain.test";

/** The key of the one app that all of this is about. */
export const KEY = `inkeep_session_${APP_ID}`;

/** The globals of a page that has `saltmine`: `make(options)` creates a client; `events` are its events. */
export const PAGE_GLOBALS = `
  const events = [];
  const make = (options) => saltmine.createClient({ onEvent: (event) => events.push(event), ...options });
  Object.assign(globalThis, { saltmine, events, make });`;

/** The same, of a module. */
export const pageModule = (entryPoint) => `import * as saltmine from "${entryPoint}";${PAGE_GLOBALS}`;

/**
 * `site`, `browser` and the installed `tarball`. `files`, `folders`, `headers`, `answer` are the site's further ones,
 * `flags` the browser's. A page's globals: `saltmine` (the package), `make(options)` (a client; its events in `events`).
 */
export async function startPages({ files = {}, folders = {}, headers = {}, answer, flags = [] } = {}) {
  const tarball = await installTarball();
  const script = `<script type="module">${pageModule(tarball.entryPoints.web)}</script>`;
  const site = await serveFiles({
    folders: { "/saltmine/": tarball.dist, ...folders },
    files: { "/": BLANK_PAGE + script, ...files },
    headers,
    answer,
  });
  const browser = await launchBrowser([`--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`, ...flags]);
  return {
    site,
    browser,
    tarball,
    plainOrigin: site.origin.replace("127.0.0.1", PLAIN_HOST),
    close: async () => {
      await browser.close();
      await site.close();
      await tarball.remove();
    },
  };
}

/** Opens a tab and waits for the package. */
export async function openTab(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => "make" in globalThis, undefined, { polling: 20 });
  return page;
}

/** The same for a page of any browser: opens nothing, only waits. */
export const loaded = (page) => until("the package", () => page.evaluate(() => "make" in globalThis));

/** A client under the global `client`, in the place of an earlier one. */
export const makeClient = (page, options) =>
  page.evaluate(
    (options) => {
      globalThis.client?.dispose();
      globalThis.client = make(options);
    },
    { appId: APP_ID, ...options },
  );

/** A call of the page's client, told as data: what it resolves to, or `{ code, message, status }`. */
export const call = (page, method, ...args) =>
  page.evaluate(
    ({ method, args }) =>
      client[method](...args).catch(({ code, message, status }) => ({ code, message, status })),
    { method, args },
  );

/** The page's events of a type, or all of them. */
export const eventsOf = (page, type) =>
  page.evaluate((type) => events.filter((event) => !type || event.type === type), type);

/** Whether the page's client has begun a search. */
export const hasSearched = async (page) =>
  (await eventsOf(page, "state")).some(({ state }) => state === "solving");

/** Hides a tab, or shows it, as a visitor does. */
export const setVisibility = (page, state) =>
  page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);

/** Waits until something is true; fails after `limitMs`. */
export async function until(what, isTrue, limitMs = 30_000) {
  const deadline = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Time enough for whatever must not happen. */
export const settle = (ms = 300) => new Promise((resolve) => setTimeout(resolve, ms));
