/** The packed package in projects of every kind: installed, built, opened in Chromium; each gets a token. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { build as esbuild } from "esbuild";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { BEST, ENGINES, engineAssertions } from "./engines.mjs";
import { assertToken, outcomeAt } from "./outcome.mjs";
import { copyApp, installProject, pageOf, runIn, startIn } from "./project.mjs";

const MAIN = new URL("app/main.js", import.meta.url);

const { tarball, folder: installation, dist, remove } = await installTarball();
const { files: hashes } = JSON.parse(await readFile(join(dist, "integrity.json"), "utf8"));
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

describe("bundlers", () => {
  for (const name of ["webpack", "rspack", "rollup", "esbuild", "parcel", "parcel-entry-points"]) {
    test(name, async (t) => {
      const folder = await installProject(t, name, tarball);
      await copyApp(folder);
      await runIn(folder, "npm", ["run", "build"]);
      const path = "/some/path/";
      const site = { folders: { [path]: join(folder, "dist") }, files: { [path]: await pageOf(folder) } };
      await assertEngines(t, site, { path });
    });
  }

  test("vite", async (t) => {
    const folder = await installProject(t, "vite", tarball);
    await copyApp(folder);
    const { build, createServer } = await import(
      pathToFileURL(join(folder, "node_modules", "vite", "dist", "node", "index.js"))
    );
    const shared = { root: folder, configFile: false, logLevel: "error", clearScreen: false };

    for (const [what, { path = "/", engines = BEST, ...options }] of Object.entries({
      "its defaults": { engines: ENGINES },
      "a base": { base: "/some/path/", path: "/some/path/" },
      "relative paths": { base: "./", path: "/some/path/" },
      "modules as workers": { worker: { format: "es" }, engines: ENGINES },
      "no minification": { build: { minify: false } },
    })) {
      await t.test(`build with ${what}`, async (t) => {
        const { output } = await build({ ...shared, ...options });
        const wasm = output.map(({ fileName }) => fileName).filter((file) => file.endsWith(".wasm"));
        assert.equal(wasm.length, 8, `all modules are files of the build: ${wasm}`);
        await assertEngines(t, { folders: { [path]: join(folder, "dist") }, files: {} }, { path, engines });
      });
    }

    await t.test("build with addresses by ?url imports", async (t) => {
      const main = await readFile(join(folder, "main.js"), "utf8");
      t.after(() => writeFile(join(folder, "main.js"), main));
      await writeFile(join(folder, "main.js"), await readFile(new URL("urls/main.js", import.meta.url)));
      await build(shared);
      await assertEngines(t, { folders: { "/": join(folder, "dist") }, files: {} });
    });

    for (const [what, options] of Object.entries({
      "its defaults": {},
      "the package left out of pre-bundling": { optimizeDeps: { exclude: ["saltmine"] } },
    })) {
      await t.test(`development server with ${what}`, async (t) => {
        const cacheDir = join(folder, what.replaceAll(" ", "-"));
        const server = await createServer({
          ...shared,
          ...options,
          cacheDir,
          server: { host: "127.0.0.1", port: 0 },
        });
        t.after(() => server.close());
        await server.listen();
        assertToken(await outcomeOf(server.resolvedUrls.local[0]));
      });
    }
  });

  test("next", async (t) => {
    const folder = await installProject(t, "next", tarball);
    for (const bundler of ["turbopack", "webpack"]) {
      await t.test(bundler, async (t) => {
        await runIn(folder, "npm", ["run", `build:${bundler}`]);
        const next = await startNext(t, folder);
        const rendered = await (await fetch(next)).text();
        assert.match(rendered, /data-codes="\d\d"/, "a component of the server imports the package");
        const answer = async (path) => {
          const response = await fetch(next + path);
          const body = Buffer.from(await response.arrayBuffer());
          return { status: response.status, type: response.headers.get("content-type"), body };
        };
        await assertEngines(t, { files: {}, answer });
      });
    }
  });
});

/** `next start` on a port of its own, until the test ends; resolves to its address. */
async function startNext(t, folder) {
  const script = join(folder, "node_modules", "next", "dist", "bin", "next");
  const args = [script, "start", "--hostname", "127.0.0.1", "--port", "0"];
  const [, url] = await startIn(t, folder, process.execPath, args, /(http:\/\/127\.0\.0\.1:\d+)/);
  return url;
}

describe("no bundler", () => {
  const read = (name) => readFile(new URL(`no-bundler/${name}`, import.meta.url), "utf8");

  test("an import map", async (t) => {
    const files = { "/": await read("import-map.html"), "/main.js": await readFile(MAIN, "utf8") };
    await assertEngines(t, { folders: { "/saltmine/": dist }, files });
  });

  for (const [what, page] of [
    ["a classic script from another origin", "script.html"],
    ["a module from another origin", "module-from-cdn.html"],
  ]) {
    test(what, async (t) => {
      const cors = { "access-control-allow-origin": "*" };
      const cdn = await serveFiles({ folders: { "/": dist }, files: {}, headers: cors });
      t.after(cdn.close);
      const files = {
        "/": (await read(page)).replaceAll("https://cdn.example", cdn.origin),
        "/script.js": await read("script.js"),
        "/main.js": await readFile(MAIN, "utf8"),
      };
      const policy = `connect-src ${cdn.origin} ${server.baseUrl}; script-src 'self' 'unsafe-inline' ${cdn.origin}`;
      await assertEngines(
        t,
        { files },
        {
          engines: [
            ["simd128", "worker", undefined],
            ["simd128", "worker", `${policy} 'wasm-unsafe-eval'; worker-src blob: ${cdn.origin}`],
            ["javascript", "worker", `${policy}; worker-src blob: ${cdn.origin}`],
            ["simd128", "page", `${policy} 'wasm-unsafe-eval'; worker-src 'none'`],
            ["javascript", "page", `${policy}; worker-src 'none'`],
          ],
        },
      );
      assert.deepEqual(
        cdn.sent.filter(({ status }) => status !== 200).map((sent) => sent.path),
        [],
      );
    });
  }

  test("a classic script from another origin by its hash, under a policy that has the hash alone", async (t) => {
    const cdn = await serveFiles({
      folders: { "/": dist },
      files: {},
      headers: { "access-control-allow-origin": "*" },
    });
    t.after(cdn.close);
    const right = (await runIn(installation, "sh", ["-c", await read("hash.sh")])).trim();
    assert.equal(right, hashes["saltmine.global.js"]);
    for (const [what, hash] of [
      ["its own", right],
      ["another's", hashes["index.js"]],
    ]) {
      await t.test(what, async () => {
        const page = (await read("integrity.html")).replace("https://cdn.example", cdn.origin);
        const site = await serveFiles({
          files: { "/": page.replace("sha384-…", hash), "/script.js": await read("script.js") },
          headers: {
            "content-security-policy": `script-src 'self' '${hash}' 'wasm-unsafe-eval'; worker-src blob: ${cdn.origin}`,
          },
        });
        if (hash === right) assertToken(await outcomeOf(site.origin));
        else {
          const { page, context } = await openPage(browser, site.origin);
          assert.equal(await page.evaluate(() => typeof saltmine), "undefined");
          await context.close();
        }
        await site.close();
      });
    }
  });

  test("an import map with the hash of every script", async (t) => {
    await writeFile(join(installation, "import-map.mjs"), await read("import-map.mjs"));
    const map = await runIn(installation, process.execPath, ["--no-warnings", "import-map.mjs"]);
    const page = (await read("import-map.html")).replace(
      /(<script type="importmap">)[^]*?(<\/script>)/,
      `$1${map}$2`,
    );
    assert.ok(page.includes(hashes["index.js"]));
    const folders = { "/saltmine/": dist };
    const files = { "/": page, "/main.js": await readFile(MAIN, "utf8") };
    await assertEngines(t, { folders, files });

    const site = await serveFiles({
      folders,
      files,
      // Not what was published.
      answer: (path, body) => (/(index|search)\.js$/.test(path) ? { body: `${body}\n` } : {}),
    });
    t.after(site.close);
    const { page: tab, context } = await openPage(browser, site.origin);
    t.after(() => context.close());
    const loaded = (file) =>
      tab.evaluate(
        (file) =>
          import(`/saltmine/${file}`).then(
            () => true,
            () => false,
          ),
        file,
      );
    assert.deepEqual(
      [await loaded("index.js"), await loaded("search.js"), await loaded("requests.js")],
      [false, false, true],
    );
    assert.equal(await tab.evaluate(() => "outcome" in globalThis), false);
  });

  test("every file has the hash that a browser makes of it", async (t) => {
    const site = await serveFiles({ folders: { "/saltmine/": dist } });
    t.after(site.close);
    const { page, context } = await openPage(browser, site.origin);
    t.after(() => context.close());
    const isTaken = (file, integrity) =>
      page.evaluate(
        ([file, integrity]) =>
          fetch(`/saltmine/${file}`, { integrity }).then(
            ({ ok }) => ok,
            () => false,
          ),
        [file, integrity],
      );
    for (const [file, hash] of Object.entries(hashes)) assert.ok(await isTaken(file, hash), file);
    assert.equal(await isTaken("index.js", hashes["worker.js"]), false);
  });

  /** A bundle in a format that has no `import.meta.url`. */
  const bundle = () =>
    esbuild({
      stdin: { contents: 'export * from "./index.js";', resolveDir: dist },
      bundle: true,
      format: "iife",
      globalName: "saltmine",
      write: false,
      // It warns that there is no import.meta in this format.
      logLevel: "error",
    }).then(({ outputFiles }) => outputFiles[0].text);
  const NO_ADDRESS = /does not know its own address.*set assetsUrl, or use inline\.global\.js/;
  const globalScript = () => readFile(join(dist, "saltmine.global.js"), "utf8");
  for (const [what, contentOf, run, told] of [
    [
      "whose text is evaluated",
      globalScript,
      (page, content) =>
        page.evaluate((text) => (0, eval)(`${text}\nglobalThis.saltmine = saltmine;`) && undefined, content),
      NO_ADDRESS,
    ],
    [
      "whose text is in the page",
      globalScript,
      (page, content) => page.addScriptTag({ content }),
      NO_ADDRESS,
    ],
    [
      "of a bundler without import.meta.url",
      bundle,
      (page, content) => page.addScriptTag({ content }),
      /the address of simd128\.wasm is not known: set assetsUrl/,
    ],
  ])
    test(`a classic script ${what} takes its files from assetsUrl, and never from beside the page`, async (t) => {
      // The page's server has files of those names: it is not the one that the script came from.
      const site = await serveFiles({ folders: { "/": dist }, files: { "/": BLANK_PAGE } });
      t.after(site.close);
      const { page, context } = await openPage(browser, site.origin);
      t.after(() => context.close());
      await run(page, await contentOf());
      const session = (options) =>
        page.evaluate(async (options) => {
          let backend;
          const onEvent = (event) => (backend = event.backend ?? backend);
          const client = saltmine.createClient({ ...options, storage: "memory", onEvent });
          const told = await client.session().catch(({ code, message }) => ({ code, message }));
          return { ...told, backend };
        }, options);
      const options = { baseUrl: server.baseUrl, appId: DEMO_APP_ID };
      const { code, message } = await session(options);
      assert.equal(code, "engine_unavailable");
      assert.match(message, told);
      assert.deepEqual(
        site.sent.map(({ path }) => path),
        ["/"],
      );
      assertToken({ ...(await session({ ...options, assetsUrl: site.origin })), complaints: [] });
    });

  test("a classic script from the page's own origin", async (t) => {
    const files = {
      "/": (await read("script.html")).replace("https://cdn.example", "/saltmine"),
      "/script.js": await read("script.js"),
    };
    await assertEngines(t, { folders: { "/saltmine/": dist }, files });
  });
});

test("workerd: a session", async (t) => {
  const folder = await installProject(t, "workerd", tarball);
  await runIn(folder, "npm", ["run", "build"]);
  const workerd = join(folder, "node_modules", ".bin", "workerd");
  const [, port] = await startIn(
    t,
    folder,
    workerd,
    ["serve", "--control-fd=1", "config.capnp"],
    /"port":(\d+)/,
  );
  const response = await fetch(`http://127.0.0.1:${port}/?api=${encodeURIComponent(server.baseUrl)}`);
  // It compiles no WebAssembly, and has no workers.
  assertToken({ ...(await response.json()), complaints: [] }, "javascript", "page");
});

test("vitest: a widget's own test, where the service is a fake", async (t) => {
  const folder = await installProject(t, "vitest", tarball);
  for (const environment of ["jsdom", "happy-dom"]) {
    await t.test(environment, async () => {
      const said = await runIn(folder, "npx", ["vitest", "run", "--globals", "--environment", environment], {
        NO_COLOR: "1",
      });
      assert.match(said, /Tests +1 passed/);
    });
  }
});

test("jest: the same test in jsdom, and a session by proof of work", async (t) => {
  const folder = await installProject(t, "jest", tarball);
  await copyApp(folder, "vitest");
  for (const [config, ENGINE, THREAD] of [
    ["jest.config.js", "javascript", "page"],
    ["node-entry-point.config.js", "simd128", "worker"],
  ]) {
    await t.test(config, async () => {
      const env = { API: server.baseUrl, ENGINE, THREAD };
      const said = await runIn(folder, "npm", ["test", "--", "--config", config], env);
      assert.match(said, /Tests: +3 passed, 3 total/);
    });
  }
});

test("are-the-types-wrong finds nothing", async (t) => {
  const folder = await installProject(t, "types", tarball);
  // Files for `?url` imports and the like, which no program calls.
  const { exports } = JSON.parse(
    await readFile(join(installation, "node_modules", "saltmine", "package.json"), "utf8"),
  );
  const files = Object.keys(exports)
    .filter((name) => /worker(\.js)?$|javascript\.js$|\.wasm$/.test(name) && name !== "./service-worker")
    .map((name) => name.slice("./".length));
  await runIn(folder, "npx", ["attw", tarball, "--profile", "esm-only", "--exclude-entrypoints", ...files]);
});
