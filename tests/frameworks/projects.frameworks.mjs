/**
 * The packed package in projects of frameworks that take minutes to install: `npm run test:frameworks`. The table in
 * docs/bundlers.md has its results.
 */
import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
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

const ENV = {
  NO_COLOR: "1",
  ASTRO_TELEMETRY_DISABLED: "1",
  NG_CLI_ANALYTICS: "false",
  NUXT_TELEMETRY_DISABLED: "1",
  HOST: "127.0.0.1",
  NITRO_HOST: "127.0.0.1",
  PORT: "0",
  NITRO_PORT: "0",
};

/** Installs a project of this folder, with the page of the other projects and with what components import. */
async function projectOf(t, name) {
  const folder = await installProject(t, name, tarball, here);
  await copyApp(folder);
  await copyFile(join(here, "start.js"), join(folder, "start.js"));
  return folder;
}

/**
 * The projects. `output` is the folder that the build makes where files are all that is needed, `server` the script of the
 * build that serves the page; `dev` starts the development server.
 */
const PROJECTS = {
  angular: { output: "dist/browser" },
  farm: { output: "dist" },
  rsbuild: { output: "dist" },
  astro: { output: "dist" },
  "astro-6": { dev: ["node_modules/astro/bin/astro.mjs", "dev", "--port", "0"] },
  nuxt: {
    dev: ["node_modules/nuxt/bin/nuxt.mjs", "dev", "--port", "0"],
    server: [".output/server/index.mjs"],
  },
  "react-router": {
    dev: ["node_modules/@react-router/dev/bin.js", "dev", "--port", "0"],
    server: ["node_modules/@react-router/serve/bin.js", "build/server/index.js"],
  },
  "solid-start": {
    dev: ["node_modules/vite/bin/vite.js", "dev", "--port", "0"],
    server: [".output/server/index.mjs"],
  },
  sveltekit: { output: "build" },
};

for (const [name, { dev, output, server }] of Object.entries(PROJECTS)) {
  test(name, async (t) => {
    const folder = await projectOf(t, name);
    // The Node of the project, where its framework needs a newer one than the package does.
    const own = join(folder, "node_modules", ".bin", "node");
    const node = existsSync(own) ? own : process.execPath;
    const open = async (t, args) => {
      const env = args === server ? { ...ENV, NODE_ENV: "production" } : ENV;
      const [, port] = await startIn(t, folder, node, args, /http:\/\/(?:127\.0\.0\.1|localhost):(\d+)/, env);
      assertToken(await outcomeOf(`http://127.0.0.1:${port}/`));
    };
    if (dev) await t.test("development server", (t) => open(t, [...dev, "--host", "127.0.0.1"]));
    if (!output && !server) return;
    await t.test("build", async (t) => {
      await runIn(folder, "npm", ["run", "build"], ENV);
      if (server) await open(t, server);
      else await assertEngines(t, { folders: { "/": join(folder, output) }, files: {} }, { engines: BEST });
    });
  });
}
