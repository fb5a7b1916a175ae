/** Challenges of ALTCHA version 2 in bundles: the worker and the modules of the key search are files of the build. */
import assert from "node:assert/strict";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { startServer } from "../support/server.mjs";
import { serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { assertToken, outcomeAt } from "./outcome.mjs";
import { copyApp, installProject, pageOf, runIn } from "./project.mjs";

/** A derivation of each module of the key search. */
const ALGORITHMS = { sha: "PBKDF2/SHA-256", scrypt: "SCRYPT", argon2id: "ARGON2ID" };

const { tarball, dist, remove } = await installTarball();
const browser = await launchBrowser();
const servers = {};
for (const [module, SALTMINE_POW_ALGORITHM] of Object.entries(ALGORITHMS))
  servers[module] = await startServer({
    SALTMINE_POW_VERSION: "2",
    SALTMINE_POW_ALGORITHM,
    SALTMINE_POW_COUNTER_MIN: "3",
    SALTMINE_POW_COUNTER_MAX: "6",
  });
after(async () => {
  await browser.close();
  for (const server of Object.values(servers)) await server.stop();
  await remove();
});

for (const name of ["vite", "webpack", "esbuild", "rollup"]) {
  test(name, async (t) => {
    const folder = await installProject(t, name, tarball);
    await copyApp(folder);
    await runIn(folder, "npx", name === "vite" ? ["vite", "build"] : ["npm", "run", "build"]);
    for (const [module, { baseUrl }] of Object.entries(servers))
      for (const [thread, policy] of [
        ["worker", undefined],
        ["page", "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'"],
      ])
        await t.test(`${module} on the ${thread}`, async () => {
          const site = await serveFiles({
            folders: { "/": join(folder, "dist") },
            files: { "/": await pageOf(folder) },
            headers: policy ? { "content-security-policy": policy } : {},
          });
          try {
            // Of so few keys: of more, WebCrypto derives PBKDF2 where it is faster.
            assertToken(await outcomeAt(browser, site.origin, baseUrl), "simd128", thread);
            const missing = site.sent.filter(({ status }) => status !== 200).map(({ path }) => path);
            assert.deepEqual(missing, []);
            // By what is in it: some builds name it by a hash.
            const file = await readFile(join(dist, `kdf-${module}.wasm`));
            const sent = await Promise.all(
              site.sent
                .filter(({ path }) => path.endsWith(".wasm"))
                .map(({ path }) => readFile(join(folder, "dist", path))),
            );
            assert.ok(
              sent.some((bytes) => bytes.equals(file)),
              "the module is a file of the build",
            );
          } finally {
            await site.close();
          }
        });
  });
}

test("vite with addresses by ?url imports", async (t) => {
  const folder = await installProject(t, "vite", tarball);
  await copyApp(folder, "urls");
  await copyApp(folder);
  await runIn(folder, "npx", ["vite", "build"]);
  for (const engine of ["simd128", "scalar"])
    await t.test(engine, async () => {
      const page = await pageOf(folder);
      const script = engine === "scalar" ? "<script>WebAssembly.validate = () => false;</script>" : "";
      const site = await serveFiles({
        folders: { "/": join(folder, "dist") },
        files: { "/": page.replace(/<script/, `${script}$&`) },
      });
      t.after(site.close);
      const outcome = await outcomeAt(browser, site.origin, servers.sha.baseUrl);
      // Without SIMD, WebCrypto may have derived the last keys.
      const { engine: used } = outcome.backend ?? {};
      assertToken(outcome, engine === "scalar" && used === "webcrypto" ? used : engine);
      // Vite changes the worker that it finds by itself, and leaves those of `?url` imports unchanged.
      const module = engine === "scalar" ? "kdf-sha-scalar.wasm" : "kdf-sha.wasm";
      for (const name of ["kdf-worker.js", module]) {
        const file = await readFile(join(dist, name));
        assert.ok(
          site.sent.some(({ body }) => body.equals(file)),
          name,
        );
      }
    });
});

/** Starts a worker for the `altcha` widget and gives it a challenge. */
const ALTCHA_WORKER = `
import { createWorker } from "saltmine/altcha-workers";

globalThis.deriveKey = () =>
  new Promise((resolve, reject) => {
    const worker = createWorker();
    worker.onmessage = ({ data }) => resolve(data.derivedKey);
    worker.onerror = ({ message }) => reject(new Error(message || "it did not start"));
    const parameters = {
      algorithm: "PBKDF2/SHA-256", cost: 10, keyLength: 32, keyPrefix: "00", nonce: "00112233", salt: "ffeeddcc",
    };
    worker.postMessage({ type: "work", challenge: { parameters } });
  });
`;

test("a bundle of Vite and of webpack from another origin: the worker is started, not replaced by the page", async (t) => {
  for (const [name, build, place] of [
    ["vite", (base) => ["npx", ["vite", "build", `--base=${base}/`]], (page) => page],
    [
      "webpack",
      () => ["npm", ["run", "build"]],
      (page, base) => page.replace(/<script.*<\/script>/, `<script defer src="${base}/main.js"></script>`),
    ],
  ])
    await t.test(name, async (t) => {
      const folder = await installProject(t, name, tarball);
      await copyApp(folder);
      await appendFile(join(folder, "main.js"), ALTCHA_WORKER);
      const cdn = await serveFiles({
        folders: { "/": join(folder, "dist") },
        files: {},
        headers: { "access-control-allow-origin": "*" },
      });
      t.after(cdn.close);
      await runIn(folder, ...build(cdn.origin));
      const site = await serveFiles({ files: { "/": place(await pageOf(folder), cdn.origin) } });
      t.after(site.close);
      for (const [module, { baseUrl }] of Object.entries(servers))
        await t.test(module, async () => {
          assertToken(await outcomeAt(browser, site.origin, baseUrl));
        });
      await t.test("saltmine/altcha-workers", async () => {
        const { page, context } = await openPage(browser, `${site.origin}/?api=${servers.sha.baseUrl}`);
        t.after(() => context.close());
        assert.equal((await page.evaluate(() => globalThis.deriveKey())).slice(0, 2), "00");
      });
      const missing = cdn.sent.filter(({ status }) => status !== 200).map(({ path }) => path);
      assert.deepEqual(missing, []);
    });
});
