/** The messages of browsers that block something: each sentence that docs/troubleshooting.md quotes is provoked. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { call, eventsOf, until } from "../support/client-pages.mjs";
import { root } from "../support/paths.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";

const WORKER = "/saltmine/worker.js";

/** `{ message, browser, cure }`: the rows of the table of messages in docs/troubleshooting.md. */
export async function quotes() {
  const text = await readFile(join(root, "docs", "troubleshooting.md"), "utf8");
  const [, table] = /^\| the browser says .*\n.*\n((?:\|.*\n)+)/m.exec(text);
  const rows = [...table.matchAll(/^\| `(.+?)` \| (Chromium|Firefox|WebKit) \| (.+) \|$/gm)];
  assert.equal(rows.length, table.trim().split("\n").length, "every row is one message of one browser");
  return rows.map(([, message, browser, cure]) => ({ message, browser: browser.toLowerCase(), cure }));
}

/** The pattern of a message, in which "…" stands for the words that the table leaves out. */
const patternOf = (message) =>
  new RegExp(
    message
      .split("…")
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join("[^]+"),
  );

export function testMessages(browser, { server, startSite, openClient }, rows) {
  const wasmOnly = "script-src 'self' 'wasm-unsafe-eval'";

  /** The faults, by a word of the cure: a site's options, and a client's. */
  const FAULTS = {
    "`worker-src 'self'`": () => ({ policy: `${wasmOnly}; worker-src 'none'` }),
    "`'wasm-unsafe-eval'`": () => ({ policy: "script-src 'self'" }),
    "`connect-src 'self'`": () => ({ policy: `connect-src ${server.baseUrl}` }),
    "`baseUrl` to `connect-src`": () => ({ policy: "connect-src 'self'" }),
    "(content-security-policy.md#trusted-types)": () => ({ policy: "require-trusted-types-for 'script'" }),
    "HTML page": () => ({ answer: (path) => path === WORKER && { type: "text/html", body: BLANK_PAGE } }),
    CORS: async (t) => {
      const { origin, close } = await serveFiles();
      t.after(close);
      return { client: { baseUrl: origin } };
    },
    "`integrity.json`": () => ({
      files: {
        "/": `${BLANK_PAGE}<script src="/saltmine/saltmine.global.js" integrity="sha384-${"A".repeat(64)}"></script>
          <script type="module" src="/page.js"></script>`,
      },
    }),
  };

  for (const { message, cure } of rows.filter((row) => row.browser === browser.name)) {
    test(`“${message}”`, async (t) => {
      const [fault, ...others] = Object.entries(FAULTS).filter(([word]) => cure.includes(word));
      assert.ok(fault && others.length === 0, `what is cured by: ${cure}`);
      const { policy, client, ...site } = await fault[1](t);
      const { origin } = await startSite(t, {
        ...site,
        headers: policy && { "content-security-policy": policy },
      });
      const page = await openClient(t, browser, origin, client);
      // Told by an error, by the reason for an engine, or by the console: drivers have the page's, not its workers', so
      // that the page asks the service as well.
      const told = [
        (await call(page, "session")).message,
        ...(await eventsOf(page, "ready")).map(({ backend }) => backend?.reason),
      ];
      await page.evaluate(
        (url) =>
          fetch(url).then(
            () => {},
            () => {},
          ),
        client?.baseUrl ?? server.baseUrl,
      );
      const said = () => [...told, ...(page.complaints ?? [])];
      await until(`the message among ${JSON.stringify(said())}`, () =>
        said().some((text) => patternOf(message).test(text ?? "")),
      );
    });
  }
}
