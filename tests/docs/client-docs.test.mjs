/** The client's pages in docs/: every block of code is run in Chromium against the reference server. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { build, transform } from "esbuild";
import { openPage } from "../support/browser.mjs";
import { until } from "../support/client-pages.mjs";
import { root } from "../support/paths.mjs";
import { DEMO_APP_ID, startServer, USUAL_PRICE } from "../support/server.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { makeUserKey } from "../support/todays-service.mjs";
import { documented } from "./documented.mjs";

const PAGES = ["quick-start", "client", "react", "moving", "content-security-policy", "troubleshooting"];
// The page on content security policies names the engines of version 1.
const { server, tarball, files, site, browser } = await documented({ SALTMINE_POW_VERSION: "1" });
const { dist, installed, manifest } = tarball;

const texts = Object.fromEntries(
  await Promise.all(
    PAGES.map(async (page) => [page, await readFile(join(root, "docs", `${page}.md`), "utf8")]),
  ),
);

// The route of the signed-in users' example, on the page's own server.
files["/chat-token"] = await (await makeUserKey()).sign({ sub: "user-1" });

/** The blocks of a page: `{ language, code, heading }`. */
function blocksOf(text) {
  const blocks = [];
  let heading = "";
  for (const [, title, language, code] of text.matchAll(/^#+ (.+)$|^```([a-z]+)\n([\s\S]*?)^```$/gm)) {
    if (title) heading = title;
    else blocks.push({ language, heading, code: code.replaceAll("http://127.0.0.1:8787", server.baseUrl) });
  }
  return blocks;
}

/** Runs a module in a page; resolves to what it logs. */
async function runInPage(code, page) {
  const logged = [];
  page.on("console", (message) => message.type() !== "debug" && logged.push(message.text()));
  await page.evaluate(async (source) => {
    await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  }, code);
  return logged;
}

/** Returns the log lines that the comments of a block promise. */
const promised = (code) =>
  code.split("\n").flatMap((line) => (/^\s*console\.log\(.*\); \/\/ (.+)$/.exec(line) ?? []).slice(1));

const RUN = {
  async ts({ code }) {
    const { page, context, complaints } = await openPage(browser, site.origin);
    try {
      const logged = await runInPage((await transform(code, { loader: "ts" })).code, page);
      for (const line of promised(code))
        assert.ok(logged.includes(line), `${line} is not in ${logged.join(" | ")}`);
      assert.ok(logged.length > 0, "it shows something");
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  },

  async tsx({ code }) {
    const { outputFiles } = await build({
      stdin: { contents: code, loader: "tsx", resolveDir: join(root, "tests") },
      bundle: true,
      format: "esm",
      jsx: "automatic",
      write: false,
      define: { "process.env.NODE_ENV": '"production"' },
      external: ["saltmine"],
      plugins: [
        {
          name: "the-page's-react",
          setup: ({ onResolve, resolve }) => {
            onResolve({ filter: /^saltmine\/react$/ }, () => ({ path: join(dist, "react.js") }));
            onResolve({ filter: /^react$/ }, ({ importer, kind }) =>
              importer.startsWith(installed)
                ? resolve("react", { resolveDir: join(root, "tests"), kind })
                : undefined,
            );
          },
        },
      ],
    });
    const { page, context, complaints } = await openPage(browser, site.origin);
    try {
      await runInPage(outputFiles[0].text, page);
      await page.getByRole("button", { name: "Say hello" }).click();
      await until("the answer", () => page.getByRole("button", { name: "Hello!" }).isVisible());
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  },

  /** tests/client/environments.test.mjs has the whole of it. */
  async js({ code }) {
    const [, entryPoint] = /import \{ createClient \} from "(saltmine\/[\w-]+)"/.exec(code);
    assert.ok(manifest.exports[entryPoint.replace("saltmine", ".")]);
  },

  /** Every test of the package has installed it, every test of the server has started it. */
  async sh({ code }) {
    const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const commands = Object.keys(scripts).flatMap((name) => [name, `run ${name}`]);
    commands.push(`install ${manifest.name}`);
    assert.ok(
      commands.some((command) => code.replace("--silent ", "") === `npm ${command}\n`),
      code,
    );
  },

  /** Lines of a page's head: the page loads each file that they name once, and uses it. */
  async html({ code }) {
    const keys = await startServer({ ...USUAL_PRICE });
    const page = `${BLANK_PAGE}${code}<script type="module">
      import { createClient } from "/saltmine/index.js";
      const client = createClient({ baseUrl: "${keys.baseUrl}", appId: "${DEMO_APP_ID}", workers: 1 });
      client.session().then(
        () => (globalThis.ready = {}),
        (error) => (globalThis.ready = { failed: error.message }),
      );</script>`;
    const site = await serveFiles({
      folders: { "/saltmine/": dist },
      files: { "/": page },
      headers: { "cache-control": "max-age=3600" },
    });
    const { page: tab, context, complaints } = await openPage(browser, "about:blank");
    const warnings = [];
    tab.on("console", (message) => /preload/.test(message.text()) && warnings.push(message.text()));
    try {
      await tab.goto(site.origin);
      await until("ready", () => tab.evaluate(() => "ready" in globalThis), 20_000);
      // Chromium reports a file that was preloaded and not used some seconds after the page has loaded.
      await tab.waitForTimeout(6_000);
      assert.deepEqual(warnings, []);
      assert.equal((await tab.evaluate(() => ready)).failed, undefined);
      const named = Array.from(code.matchAll(/href="([^"]+)"/g), ([, path]) => path);
      assert.ok(named.length > 0);
      for (const path of named)
        assert.equal(site.sent.filter((sent) => sent.path === path && sent.status === 200).length, 1, path);
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
      await site.close();
      await keys.stop();
    }
  },

  async csp({ code, heading }) {
    const [, engine, thread] = /^`(\w+)` in a `(\w+)`$/.exec(heading);
    const policy = code.trim().replace("https://api.example.com", server.baseUrl);
    const script = `import { createClient } from "/saltmine/index.js";
      const client = createClient({ baseUrl: ${JSON.stringify(server.baseUrl)}, appId: "${DEMO_APP_ID}",
        onEvent: (event) => { if (event.type === "ready") globalThis.ready = event; } });
      client.session().catch((error) => { globalThis.ready = { failed: error.message }; });`;
    const strict = await serveFiles({
      folders: { "/saltmine/": dist },
      files: { "/": `${BLANK_PAGE}<script type="module" src="/page.js"></script>`, "/page.js": script },
      headers: { "content-security-policy": policy },
    });
    const { page, context } = await openPage(browser, strict.origin);
    try {
      await until("ready", () => page.evaluate(() => "ready" in globalThis), 20_000);
      const { backend, failed } = await page.evaluate(() => ready);
      assert.deepEqual([backend?.engine, backend?.thread], [engine, thread], failed ?? backend?.reason);
    } finally {
      await context.close();
      await strict.close();
    }
  },
};

for (const [page, text] of Object.entries(texts)) {
  describe(`docs/${page}.md`, () => {
    blocksOf(text).forEach((block, index) => {
      test(`block ${index + 1}, ${block.language}, under “${block.heading}”`, async () => {
        assert.ok(RUN[block.language], `nothing runs ${block.language}`);
        await RUN[block.language](block);
      });
    });

    test("every fence belongs to a block that was run; every link leads somewhere", async () => {
      assert.equal(text.match(/^```/gm)?.length ?? 0, 2 * blocksOf(text).length);
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g))
        await readFile(join(root, "docs", target), "utf8");
    });
  });
}

describe("docs/client.md names", () => {
  /** The members of an interface in the sources. */
  async function membersOf(file, name) {
    const source = await readFile(join(root, "pkg", "src", file), "utf8");
    const [, body] = new RegExp(
      `export interface ${name} (?:extends \\w+ )?\\{\\n([\\s\\S]*?)^\\}`,
      "m",
    ).exec(source);
    return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(:]/gm)].map(([, member]) => member);
  }
  for (const [file, name] of [
    ["session/client-options.ts", "ClientOptions"],
    ["session/client.ts", "Client"],
  ]) {
    test(`every member of ${name}`, async () => {
      const members = await membersOf(file, name);
      assert.ok(members.length >= 8);
      for (const member of members) assert.match(texts.client, new RegExp(`^\\| \`${member}[\`(]`, "m"));
    });
  }

  test("and docs/troubleshooting.md every event, state and warning", async () => {
    const source = await readFile(join(root, "pkg", "src", "session", "events.ts"), "utf8");
    const words = [...source.matchAll(/"([a-z_]+)"/g)].map(([, word]) => word);
    assert.ok(words.length > 10);
    for (const word of words) assert.ok(texts.troubleshooting.includes(word), word);
  });
});
