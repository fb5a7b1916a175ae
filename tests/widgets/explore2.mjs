import { launchBrowser } from "../support/browser.mjs";
import { makeApp, startServer } from "../support/server.mjs";
import { bundle, servePage } from "./widget.mjs";
import { writeFile, readFile } from "node:fs/promises";
const KEY = "a management key";
const server = await startServer({ INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: KEY });
const app = await makeApp({ baseUrl: server.baseUrl, key: KEY });
const browser = await launchBrowser();
for (const name of process.argv.slice(2)) {
  console.log("==", name);
  const page = await servePage(await bundle(name));
  page.settings = { baseSettings: {}, aiChatSettings: { baseUrl: server.baseUrl, appId: app } };
  const t0 = Date.now();
  const tab = await (await browser.newContext()).newPage();
  tab.on("request", (r) => console.log(Date.now() - t0, "->", r.method(), r.url().slice(0, 120), Object.keys(r.headers()).filter(h=>h.startsWith("x-")).join()));
  tab.on("requestfinished", async (r) => console.log(Date.now() - t0, "<-", (await r.response()).status(), r.url().slice(0, 120)));
  tab.on("requestfailed", async (r) => console.log(Date.now() - t0, "XX", r.failure().errorText, r.url().slice(0, 120)));
  tab.on("console", (m) => console.log(Date.now() - t0, "console", m.type(), m.text().slice(0, 200)));
  tab.on("pageerror", (m) => console.log(Date.now() - t0, "error", m));
  await tab.goto(page.origin);
  await tab.waitForTimeout(12000);
  await page.close();
}
await browser.close(); await server.stop();
