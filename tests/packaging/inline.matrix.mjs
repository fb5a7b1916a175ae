/** The one-file entry point, as a module and as a classic script: from another origin, with no other file served. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { launchBrowser } from "../support/browser.mjs";
import { startServer } from "../support/server.mjs";
import { serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { BEST, engineAssertions } from "./engines.mjs";
import { outcomeAt } from "./outcome.mjs";

const { dist, remove } = await installTarball();
// Version 1 has all the engines; version-2.matrix.mjs tests the other.
const server = await startServer({ SALTMINE_POW_VERSION: "1" });
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await server.stop();
  await remove();
});

const assertEngines = engineAssertions((url) => outcomeAt(browser, url, server.baseUrl));
const COEP = { "cross-origin-embedder-policy": "require-corp" };
const read = (name) => readFile(new URL(name, import.meta.url), "utf8");

for (const [what, page, file] of [
  ["a module", "no-bundler/import-map.html", "inline.js"],
  ["a classic script", "no-bundler/script.html", "inline.global.js"],
]) {
  test(`${what} from another origin`, async (t) => {
    const cdn = await serveFiles({
      files: { [`/${file}`]: await readFile(join(dist, file)) },
      headers: { "access-control-allow-origin": "*" },
    });
    t.after(cdn.close);
    const files = {
      "/": (await read(page)).replace(
        /https:\/\/cdn\.example\/[\w.]+|\/saltmine\/index\.js/,
        `${cdn.origin}/${file}`,
      ),
      "/main.js": await read("app/main.js"),
      "/script.js": await read("no-bundler/script.js"),
    };
    const scripts = `script-src 'self' 'unsafe-inline' ${cdn.origin}`;
    const engines = [
      ["simd128", "worker", undefined],
      ["simd128", "worker", `${scripts} 'wasm-unsafe-eval'; worker-src blob:; connect-src ${server.baseUrl}`],
      ["javascript", "worker", `${scripts}; worker-src blob:; connect-src ${server.baseUrl}`],
      ["simd128", "page", `${scripts} 'wasm-unsafe-eval'; worker-src 'none'; connect-src ${server.baseUrl}`],
      ["javascript", "page", `${scripts}; worker-src 'none'; connect-src ${server.baseUrl}`],
    ];
    await assertEngines(t, { files }, { engines });
  });
}

test("on a page with Cross-Origin-Embedder-Policy, without that header for the file", async (t) => {
  const files = {
    "/": (await read("no-bundler/import-map.html")).replace("/saltmine/index.js", "/inline.js"),
    "/main.js": await read("app/main.js"),
    "/inline.js": await readFile(join(dist, "inline.js")),
  };
  const answer = (path) => (path === "/" ? { headers: COEP } : {});
  await assertEngines(t, { files, answer }, { engines: BEST });
});

test("the files of saltmine on such a page have the header too", async (t) => {
  const site = {
    folders: { "/saltmine/": dist },
    files: { "/": await read("no-bundler/import-map.html"), "/main.js": await read("app/main.js") },
  };
  await t.test("with it", (t) => assertEngines(t, { ...site, headers: COEP }, { engines: BEST }));
  await t.test("without it there is no worker", (t) => {
    const answer = (path) => (path === "/" ? { headers: COEP } : {});
    return assertEngines(t, { ...site, answer }, { engines: [["simd128", "page", undefined]] });
  });
});
