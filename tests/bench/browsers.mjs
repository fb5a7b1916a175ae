/** The browsers that are measured, behind one interface: a page that functions are called in. */
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { launchBrowser } from "../support/browser.mjs";
import { openWebDriver } from "./webdriver.mjs";

export const BROWSERS = ["chromium", "firefox", "webkit"];

/** A browser that this machine does not have. */
export class MissingBrowser extends Error {}

function find(variable, names, hint) {
  if (process.env[variable]) return process.env[variable];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (!found)
    throw new MissingBrowser(`${names[0]} is not installed (Debian: apt-get install ${hint}): not measured.`);
  return found;
}

/**
 * Starts it. `title` is its name with its version, `open(url)` gives a page with `evaluate(work, argument)` and
 * `close()`; `chromium` is Playwright's browser where it is that.
 */
export function startBrowser(name) {
  return { chromium: startChromium, firefox: startFirefox, webkit: startWebKit }[name]();
}

async function startChromium() {
  const browser = await launchBrowser();
  return {
    title: `Chromium ${browser.version()}`,
    chromium: browser,
    open: async (url) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(url);
      return { evaluate: (work, argument) => page.evaluate(work, argument), close: () => context.close() };
    },
    close: () => browser.close(),
  };
}

async function startFirefox() {
  const executablePath = find("SALTMINE_FIREFOX", ["firefox-esr", "firefox"], "firefox-esr");
  const { default: puppeteer } = await import("puppeteer-core");
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    protocolTimeout: 600_000,
    extraPrefsFirefox: { "privacy.reduceTimerPrecision": false },
  });
  return {
    title: (await browser.version()).replace(/^firefox\//i, "Firefox "),
    open: async (url) => {
      const page = await browser.newPage();
      await page.goto(url);
      return { evaluate: (work, argument) => page.evaluate(work, argument), close: () => page.close() };
    },
    close: () => browser.close(),
  };
}

/** Where distributions keep WebKitGTK's own small browser: not on the PATH. */
function miniBrowser() {
  if (process.env.SALTMINE_MINIBROWSER) return process.env.SALTMINE_MINIBROWSER;
  const folders = ["/usr/libexec", "/usr/lib64", "/usr/lib"].filter(existsSync);
  const nested = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const places = [...folders, ...nested].flatMap((folder) =>
    ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"].map((name) => join(folder, name, "MiniBrowser")),
  );
  const found = places.find(existsSync);
  if (!found) throw new MissingBrowser("WebKitGTK's MiniBrowser is not installed: not measured.");
  return found;
}

/** WebKitGTK has no headless mode: its browser runs on a display that nobody sees. */
async function startWebKit() {
  const driver = find("SALTMINE_WEBKIT_DRIVER", ["WebKitWebDriver"], "webkit2gtk-driver");
  const display = find("SALTMINE_XVFB_RUN", ["xvfb-run"], "xvfb xauth");
  const binary = miniBrowser();
  const start = () =>
    openWebDriver((port) => [display, "-a", driver, `--port=${port}`], {
      "webkitgtk:browserOptions": { binary, args: ["--automation"] },
    });
  const session = await start();
  return {
    title: `WebKitGTK ${session.version}`,
    open: async (url) => {
      await session.goto(url);
      return { evaluate: session.evaluate, close: () => session.goto("about:blank") };
    },
    close: session.close,
  };
}
