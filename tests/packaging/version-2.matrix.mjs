/** Challenges of ALTCHA version 2 in bundles: the worker and the modules of the key search are files of the build. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { launchBrowser } from "../support/browser.mjs";
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
