/** The packed package in a fresh Vite project: production builds opened in Chromium, and the development server. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { build, createServer, preview, version } from "vite";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { BLANK_PAGE } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { usual } from "../support/vectors.mjs";

const { folder, remove } = await installTarball();
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await remove();
});

const { number, ...challenge } = usual;
await writeFile(join(folder, "index.html"), `${BLANK_PAGE}<script type="module" src="/main.js"></script>`);
await writeFile(
  join(folder, "main.js"),
  `import { solve } from "saltmine";
   globalThis.outcome = solve(${JSON.stringify(challenge)}).then(
     ({ number, backend }) => ({ number, backend }),
     ({ code, message }) => ({ code, message }),
   );
   globalThis.outcome.then(() => { globalThis.settled = true; });`,
);

const shared = { root: folder, configFile: false, logLevel: "error", clearScreen: false };
const loopback = { host: "127.0.0.1", port: 0 };

/** What the project's page comes to. */
async function outcomeAt(t, url) {
  const { page, context, complaints } = await openPage(browser, url);
  t.after(() => context.close());
  await page.waitForFunction(() => globalThis.settled, undefined, { timeout: 30_000 });
  return { outcome: await page.evaluate(() => globalThis.outcome), complaints };
}

async function assertSolved(t, url) {
  const { outcome, complaints } = await outcomeAt(t, url);
  assert.deepEqual(outcome, { number, backend: { engine: "simd128", thread: "worker" } });
  assert.deepEqual(complaints, []);
}

describe(`Vite ${version}`, () => {
  for (const [what, options] of Object.entries({
    "with its defaults": {},
    "under a path": { base: "/some/path/" },
    "with relative paths": { base: "./" },
    "with modules as workers": { worker: { format: "es" } },
    "without minification": { build: { minify: false } },
  })) {
    test(`a production build ${what}`, async (t) => {
      const outDir = join(folder, "dist");
      const { output } = await build({
        ...shared,
        ...options,
        build: { emptyOutDir: true, ...options.build, outDir },
      });
      const wasm = output.map(({ fileName }) => fileName).filter((name) => name.endsWith(".wasm"));
      assert.equal(wasm.length, 2, `both variants are files of the build: ${wasm}`);
      const server = await preview({ ...shared, ...options, build: { outDir }, preview: loopback });
      t.after(() => server.close());
      await assertSolved(t, server.resolvedUrls.local[0]);
    });
  }

  test("the development server, with the package left out of pre-bundling", async (t) => {
    const optimizeDeps = { exclude: ["saltmine"] };
    const server = await createServer({
      ...shared,
      optimizeDeps,
      server: loopback,
      cacheDir: join(folder, ".vite"),
    });
    await server.listen();
    t.after(() => server.close());
    await assertSolved(t, server.resolvedUrls.local[0]);
  });

  test("the development server with its defaults", async (t) => {
    const server = await createServer({ ...shared, server: loopback, cacheDir: join(folder, ".vite-2") });
    await server.listen();
    t.after(() => server.close());
    await assertSolved(t, server.resolvedUrls.local[0]);
  });
});
