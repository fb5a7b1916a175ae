/**
 * The packed package in projects of frameworks that take minutes to install: `npm run test:frameworks`. The table in
 * docs/bundlers.md has its results.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { launchBrowser } from "../support/browser.mjs";
import { startServer } from "../support/server.mjs";
import { installTarball } from "../support/tarball.mjs";
import { BEST, engineAssertions } from "../packaging/engines.mjs";
import { assertToken, outcomeAt } from "../packaging/outcome.mjs";
import { copyApp, installProject, runIn, startIn } from "../packaging/project.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const { tarball, remove } = await installTarball();
const server = await startServer();
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await server.stop();
  await remove();
});

const outcomeOf = (url) => outcomeAt(browser, url, server.baseUrl, 60_000);
const assertEngines = engineAssertions(outcomeOf);

/** Installs a project of this folder and adds the page of the other projects to it. */
async function projectOf(t, name) {
  const folder = await installProject(t, name, tarball, here);
  await copyApp(folder);
  return folder;
}

/** Projects whose build is a folder of files. */
for (const [name, output] of Object.entries({
  angular: "dist/browser",
  farm: "dist",
  rsbuild: "dist",
  astro: "dist",
})) {
  test(`${name}: build`, async (t) => {
    const folder = await projectOf(t, name);
    await runIn(folder, "npm", ["run", "build"], {
      ASTRO_TELEMETRY_DISABLED: "1",
      NG_CLI_ANALYTICS: "false",
    });
    await assertEngines(t, { folders: { "/": join(folder, output) }, files: {} }, { engines: BEST });
  });
}

/** Projects with a server of their own: the development server, and the one that is built. */
test("nuxt", async (t) => {
  const folder = await projectOf(t, "nuxt");
  const env = {
    HOST: "127.0.0.1",
    NITRO_HOST: "127.0.0.1",
    PORT: "0",
    NITRO_PORT: "0",
    NUXT_TELEMETRY_DISABLED: "1",
  };
  const node = join(folder, "node_modules", ".bin", "node");
  for (const [what, args] of [
    ["development server", ["node_modules/nuxt/bin/nuxt.mjs", "dev", "--host", "127.0.0.1", "--port", "0"]],
    ["build", [".output/server/index.mjs"]],
  ]) {
    await t.test(what, async (t) => {
      if (what === "build") await runIn(folder, "npm", ["run", "build"], env);
      const [, url] = await startIn(t, folder, node, args, /(http:\/\/127\.0\.0\.1:\d+)/, env);
      assertToken(await outcomeOf(url));
    });
  }
});
