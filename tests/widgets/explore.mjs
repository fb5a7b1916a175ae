import { launchBrowser } from "../support/browser.mjs";
import { makeApp, startServer } from "../support/server.mjs";
import { bundle, say, servePage, visit } from "./widget.mjs";
const KEY = "a management key";
const server = await startServer({ INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: KEY });
const app = await makeApp({ baseUrl: server.baseUrl, key: KEY });
const browser = await launchBrowser();
const ends = [];
const dump = (w) =>
  w.tab.evaluate(() => {
    const all = [];
    const walk = (n, d) => {
      for (const c of n.children ?? []) {
        const t = c.tagName;
        if (["SCRIPT", "STYLE", "SVG", "svg"].includes(t)) continue;
        const own = [...c.childNodes]
          .filter((x) => x.nodeType === 3)
          .map((x) => x.textContent.trim())
          .join(" ")
          .slice(0, 60);
        if (
          own ||
          ["BUTTON", "TEXTAREA", "INPUT"].includes(t) ||
          c.getAttribute("aria-label") ||
          c.dataset?.testid
        )
          all.push(
            " ".repeat(d) +
              t +
              " " +
              [...c.attributes]
                .filter((a) => !["class", "style", "d"].includes(a.name))
                .map((a) => a.name + "=" + a.value.slice(0, 60))
                .join(" ") +
              " | " +
              own,
          );
        if (c.shadowRoot) walk(c.shadowRoot, d + 1);
        walk(c, d + 1);
      }
    };
    walk(document.body, 0);
    return all.join("\n");
  });
for (const name of process.argv.slice(2)) {
  console.log("==", name, Date.now());
  const page = await servePage(await bundle(name));
  page.settings = {
    baseSettings: {},
    aiChatSettings: { baseUrl: server.baseUrl, appId: app, headers: { "x-owner": "docs" } },
  };
  const w = await visit({ after: (f) => ends.push(f) }, browser, page, server);
  for (let i = 0; i < 100 && !w.log.some((e) => e.path.startsWith("/run/v1/conversations?")); i++)
    await w.tab.waitForTimeout(200);
  await say(w, "Hello from the visitor");
  await w.tab.waitForTimeout(5000);
  console.log(await dump(w));
  await w.tab.getByRole("button", { name: "Chat history" }).click();
  await w.tab.waitForTimeout(2000);
  console.log("-- history\n", await dump(w));
  console.log(
    JSON.stringify(
      w.log.map(({ method, path, status, sent, headers }) => ({
        method,
        path,
        status,
        owner: headers?.["x-owner"],
        sent: sent?.slice(0, 300),
      })),
      null,
      1,
    ),
  );
  console.log(w.errors, w.console);
  await page.close();
}
for (const f of ends) await f();
await browser.close();
await server.stop();
