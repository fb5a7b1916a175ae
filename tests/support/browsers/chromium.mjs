/** Chromium, by Playwright. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchBrowser, launchProfile, listen } from "../browser.mjs";

/** The settings of a visitor, as the profile's file has them. */
const PREFERENCES = {
  "third-party": { profile: { cookie_controls_mode: 1 } },
  storage: { profile: { default_content_setting_values: { cookies: 2 } } },
};

export async function openChromium({ blocked }) {
  const { browser, context, close } = blocked
    ? await withPreferences(PREFERENCES[blocked])
    : await withoutPreferences();
  return {
    title: `Chromium ${browser.version()}`,
    open: async (url) => {
      const page = await context.newPage();
      const complaints = listen(page);
      await page.goto(url);
      return {
        complaints,
        evaluate: (work, argument) => page.evaluate(work, argument),
        goto: (url) => page.goto(url),
        reload: () => page.reload(),
        workers: async () => page.workers().length,
        close: () => page.close(),
      };
    },
    close,
  };
}

async function withoutPreferences() {
  const browser = await launchBrowser();
  return { browser, context: await browser.newContext(), close: () => browser.close() };
}

/** Only a profile on the disk has any. */
async function withPreferences(preferences) {
  const folder = await mkdtemp(join(tmpdir(), "saltmine-chromium-"));
  await mkdir(join(folder, "Default"));
  await writeFile(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
  const context = await launchProfile(folder);
  return {
    browser: context.browser(),
    context,
    close: async () => {
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
