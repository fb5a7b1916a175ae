/** How widgets are shipped: one file of any format from another origin, a bundle from there, a library bundled twice. */
import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { startServer } from "../support/server.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { BEST, ENGINES, engineAssertions } from "./engines.mjs";
import { assertToken, outcomeAt, readOutcome } from "./outcome.mjs";
import { copyApp, installProject, pageOf, runIn } from "./project.mjs";

const { tarball, remove } = await installTarball();
// Version 1 has all the engines; version-2.matrix.mjs tests the other.
const server = await startServer({ SALTMINE_POW_VERSION: "1" });
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await server.stop();
  await remove();
});

const outcomeOf = (url) => outcomeAt(browser, url, server.baseUrl);
const assertEngines = engineAssertions(outcomeOf);

/** The project's own Vite. */
const viteOf = (folder) =>
  import(pathToFileURL(join(folder, "node_modules", "vite", "dist", "node", "index.js")));
const quiet = (folder) => ({ root: folder, logLevel: "error", clearScreen: false });

/** Serves a folder as a CDN does; a page of another origin that loads the widget from there. */
async function assertWidget(t, folder, file) {
  const cdn = await serveFiles({
    folders: { "/": folder },
    files: {},
    headers: { "access-control-allow-origin": "*" },
  });
  t.after(cdn.close);
  const page = `${BLANK_PAGE}<script src="${cdn.origin}/${file}"></script>
    <script>widget.start(new URLSearchParams(location.search).get("api"));</script>`;
  const scripts = `script-src 'self' 'unsafe-inline' ${cdn.origin}`;
  const engines = [
    ["simd128", "worker", undefined],
    ["simd128", "worker", `${scripts} 'wasm-unsafe-eval'; worker-src blob:`],
    ["javascript", "worker", `${scripts}; worker-src blob:`],
    ["simd128", "page", `${scripts} 'wasm-unsafe-eval'; worker-src 'none'`],
    ["javascript", "page", `${scripts}; worker-src 'none'`],
  ];
  await assertEngines(t, { files: { "/": page } }, { engines });
}

test("Vite: a widget as one file, from another origin", async (t) => {
  const folder = await installProject(t, "vite", tarball);
  await copyApp(folder, "widget");
  const { build } = await viteOf(folder);
  await build(quiet(folder));
  for (const format of ["iife", "umd"])
    await t.test(format, (t) => assertWidget(t, join(folder, "dist"), `widget.${format}.js`));

  await t.test("a bundle of saltmine from another origin", async (t) => {
    await copyApp(folder);
    const cdn = await serveFiles({
      folders: { "/": join(folder, "dist") },
      files: {},
      headers: { "access-control-allow-origin": "*" },
    });
    t.after(cdn.close);
    await build({ ...quiet(folder), configFile: false, base: `${cdn.origin}/` });
    await assertEngines(
      t,
      { files: { "/": await pageOf(folder) } },
      { engines: ENGINES_ELSEWHERE(cdn.origin) },
    );
  });
});

test("two bundles on one page have one session", async (t) => {
  const folder = await installProject(t, "vite", tarball);
  await copyApp(folder, "widget");
  const { build } = await viteOf(folder);
  await build(quiet(folder));
  const widget = await readFile(join(folder, "dist", "widget.iife.js"));
  await copyApp(folder);
  await build({ ...quiet(folder), configFile: false });
  const scripts = `<script>
      globalThis.outcomes = [];
      const { outcomes } = globalThis;
      Object.defineProperty(globalThis, "outcome", { get: () => outcomes[1], set: (one) => outcomes.push(one) });
    </script>
    <script src="/widget.js"></script>
    <script>widget.start(new URLSearchParams(location.search).get("api"));</script>`;
  const page = (await pageOf(folder)).replace("<head>", `<head>${scripts}`);
  const site = await serveFiles({
    folders: { "/": join(folder, "dist") },
    files: { "/": page, "/widget.js": widget },
  });
  t.after(site.close);
  const {
    page: tab,
    context,
    complaints,
  } = await openPage(browser, `${site.origin}/?api=${encodeURIComponent(server.baseUrl)}`);
  t.after(() => context.close());
  await readOutcome(tab);
  const [one, two] = await tab.evaluate(() => globalThis.outcomes);
  assert.equal(one.token, two.token, "the second took what the first stored");
  assertToken({ ...(one.backend ? one : two), complaints });
});

test("webpack: a widget as one UMD file, from another origin", async (t) => {
  const folder = await installProject(t, "webpack", tarball);
  await copyApp(folder, "widget");
  await runIn(folder, "npx", ["webpack", "--config", "webpack.umd.config.cjs"]);
  await assertWidget(t, join(folder, "dist"), "widget.umd.js");

  await t.test("a bundle of saltmine from another origin", async (t) => {
    await copyApp(folder);
    await runIn(folder, "npm", ["run", "build"]);
    const cdn = await serveFiles({
      folders: { "/": join(folder, "dist") },
      files: {},
      headers: { "access-control-allow-origin": "*" },
    });
    t.after(cdn.close);
    const page = (await readFile(join(folder, "index.html"), "utf8")).replace(
      /<script.*<\/script>/,
      `<script defer src="${cdn.origin}/main.js"></script>`,
    );
    await assertEngines(t, { files: { "/": page } }, { engines: BEST });
  });
});

/** Where the scripts, the worker and the modules are on another origin. */
function ENGINES_ELSEWHERE(origin) {
  return ENGINES.map(([engine, thread, policy]) => [
    engine,
    thread,
    policy?.replaceAll("'self'", `'self' blob: ${origin}`),
  ]);
}

test("a library that has saltmine, bundled again by an application's Vite", async (t) => {
  const folder = await installProject(t, "library", tarball);
  await runIn(folder, "npm", ["run", "build"]);
  await copyApp(folder);
  const main = await readFile(join(folder, "main.js"), "utf8");
  const { build } = await viteOf(folder);
  for (const [what, file] of [
    ["saltmine/inline within the library", "within"],
    ["saltmine as its dependency", "beside"],
  ]) {
    await t.test(what, async (t) => {
      const source = main
        .replace('{ createClient } from "saltmine"', `{ makeClient } from "./lib/${file}.js"`)
        .replace("createClient(", "makeClient(");
      await writeFile(join(folder, "main.js"), source);
      await build({ ...quiet(folder), configFile: false });
      await assertEngines(t, { folders: { "/": join(folder, "dist") }, files: {} }, { engines: BEST });
    });
  }
});

for (const version of [5, 6, 7])
  test(`Vite ${version}`, async (t) => {
    const folder = await installProject(t, `vite-${version}`, tarball);
    await copyApp(folder);
    const { build, createServer } = await viteOf(folder);
    await t.test("build, no setting", async (t) => {
      await build({ ...quiet(folder), configFile: false });
      await assertEngines(t, { folders: { "/": join(folder, "dist") }, files: {} }, { engines: BEST });
    });

    const main = await readFile(join(folder, "main.js"), "utf8");
    for (const [what, entry, options] of [
      ["saltmine, left out of pre-bundling", "saltmine", { optimizeDeps: { exclude: ["saltmine"] } }],
      ["saltmine/inline, no setting", "saltmine/inline", {}],
    ]) {
      await t.test(`development server: ${what}`, async (t) => {
        await writeFile(join(folder, "main.js"), main.replace('"saltmine"', `"${entry}"`));
        const dev = await createServer({
          ...quiet(folder),
          ...options,
          configFile: false,
          cacheDir: join(folder, what.replaceAll(/\W/g, "-")),
          server: { host: "127.0.0.1", port: 0 },
        });
        t.after(() => dev.close());
        await dev.listen();
        assertToken(await outcomeOf(dev.resolvedUrls.local[0]));
      });
    }
  });
