/** The chat examples: installed as a reader would, built, and used in Chromium against the reference server. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { installProject, runIn } from "../packaging/project.mjs";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { root } from "../support/paths.mjs";
import { startServer } from "../support/server.mjs";
import { serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";

const EXAMPLES = ["chat-javascript", "chat-react", "chat-vue", "chat-svelte"];
const examples = join(root, "examples");

const { tarball, remove } = await installTarball();
const server = await startServer();
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await server.stop();
  await remove();
});

test("the examples share one streaming module and one style", async () => {
  for (const file of ["src/chat.js", "src/style.css"]) {
    const [first, ...others] = await Promise.all(
      EXAMPLES.map((name) => readFile(join(examples, name, file), "utf8")),
    );
    for (const other of others) assert.equal(other, first, file);
  }
});

for (const name of EXAMPLES) {
  test(name, async (t) => {
    const folder = await installProject(t, name, tarball, examples);
    await runIn(folder, "npm", ["run", "build"], { VITE_API: server.baseUrl });
    const site = await serveFiles({ folders: { "/": join(folder, "dist") }, files: {} });
    t.after(site.close);
    const { page, context, complaints } = await openPage(browser, site.origin);
    t.after(() => context.close());

    const send = async (text) => {
      await page.getByLabel("Message").fill(text);
      await page.getByRole("button", { name: "Send" }).click();
    };
    const messages = (role) => page.locator(`.chat li[data-role=${role}]`).allTextContents();
    const waitForAnswer = (count) =>
      page.waitForFunction(
        (count) =>
          document.querySelectorAll(".chat li[data-role=assistant]").length === count &&
          document.querySelector(".chat button").textContent === "Send",
        count,
      );

    await send("Hello, is anybody there?");
    await waitForAnswer(1);
    await send("And a second time?");
    await waitForAnswer(2);
    assert.deepEqual(await messages("user"), ["Hello, is anybody there?", "And a second time?"]);
    assert.deepEqual(await messages("assistant"), ["Hello, is anybody there?", "And a second time?"]);
    assert.deepEqual(complaints, []);

    await t.test("a full conversation, and another visitor's: the message is sent in a new one", async () => {
      const ids = [];
      const refusals = ["conversation_full", "conversation_not_found"];
      await page.route("**/run/api/chat", (route) => {
        ids.push(route.request().postDataJSON().conversationId);
        const reason = ids.length % 2 === 1 && refusals.shift();
        if (!reason) return route.continue();
        return route.fulfill({
          status: reason === "conversation_full" ? 409 : 404,
          contentType: "application/problem+json",
          headers: { "access-control-allow-origin": "*" },
          body: JSON.stringify({ reason, detail: "Start a new conversation." }),
        });
      });
      for (const [index, text] of ["A new one", "And another", "The same"].entries()) {
        await send(text);
        await waitForAnswer(3 + index);
        assert.equal((await messages("assistant")).at(-1), text);
      }
      await page.unroute("**/run/api/chat");
      assert.equal(ids.length, 5);
      assert.deepEqual([ids[1], ids[3]], [ids[2], ids[4]], "an id is kept while the server accepts it");
      assert.equal(new Set(ids).size, 3);
      assert.equal(await page.getByRole("alert").isVisible(), false);
    });

    await t.test("a message that the server refuses is an alert, and the chat goes on", async () => {
      await page.route("**/run/api/chat", (route) =>
        route.fulfill({
          status: 503,
          contentType: "application/problem+json",
          headers: { "access-control-allow-origin": "*" },
          body: JSON.stringify({ status: 503, detail: "The agent is not available." }),
        }),
      );
      await send("Lost");
      await page.getByRole("alert").waitFor();
      assert.equal(await page.getByRole("alert").textContent(), "The agent is not available.");
      await page.unroute("**/run/api/chat");
      await send("Found");
      await page.waitForFunction(() =>
        [...document.querySelectorAll(".chat li[data-role=assistant]")].at(-1)?.textContent.includes("Found"),
      );
    });
  });
}
