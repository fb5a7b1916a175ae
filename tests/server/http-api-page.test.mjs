/** The page that shows the API: every call is on it, and it asks nobody else for anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { launchBrowser } from "../support/browser.mjs";
import { startServer } from "../support/server.mjs";

test("/docs/http-api shows every call and loads nothing from elsewhere", async (t) => {
  const server = await startServer();
  t.after(server.stop);
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage();
  const requested = [];
  const complaints = [];
  page.on("request", (request) => requested.push(request.url()));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${server.baseUrl}/docs/http-api`);
  await page.locator(".opblock").first().waitFor();

  const { paths } = await (await fetch(`${server.baseUrl}/openapi.json`)).json();
  const described = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const shown = await page
    .locator(".opblock-summary")
    .evaluateAll((calls) =>
      calls.map((call) =>
        [".opblock-summary-method", ".opblock-summary-path"]
          .map((part) => call.querySelector(part).textContent.replaceAll("\u200b", ""))
          .join(" "),
      ),
    );
  assert.deepEqual(shown.sort(), described.sort());
  await page.locator(".opblock-summary").first().click();
  await page.locator(".opblock.is-open").waitFor();

  const foreign = requested.filter((url) => !url.startsWith(server.baseUrl) && !url.startsWith("data:"));
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
});
