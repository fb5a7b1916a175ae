/** Firefox, by WebDriver BiDi through Puppeteer. */
import { find } from "./find.mjs";

const CALL_LIMIT_MS = 600_000;

/** The settings of a visitor: https://searchfox.org/mozilla-central/source/netwerk/cookie/nsICookieService.idl */
const COOKIE_BEHAVIOR = { "third-party": 1, storage: 2 };

export async function openFirefox({ fineClock, blocked }) {
  const executablePath = find("SALTMINE_FIREFOX", ["firefox-esr", "firefox"], "firefox-esr");
  const { default: puppeteer } = await import("puppeteer-core");
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    protocolTimeout: CALL_LIMIT_MS,
    extraPrefsFirefox: {
      ...(fineClock && { "privacy.reduceTimerPrecision": false }),
      ...(blocked && { "network.cookie.cookieBehavior": COOKIE_BEHAVIOR[blocked] }),
    },
  });
  return {
    title: (await browser.version()).replace(/^firefox\//i, "Firefox "),
    open: async (url) => {
      const page = await browser.newPage();
      const complaints = [];
      page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(url);
      return {
        complaints,
        evaluate: (work, argument) => evaluate(page, work, argument),
        goto: (url) => page.goto(url),
        reload: () => page.reload(),
        workers: async () => page.workers().length,
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}

/** Evaluates in the page; the result is sent as text, since BiDi serializes an object only where it first occurs. */
async function evaluate(page, work, argument) {
  const told = new Function(`return async (argument) => JSON.stringify(await (${work})(argument))`)();
  const text = await page.evaluate(told, argument);
  return text && JSON.parse(text);
}
