/**
 * The packed package in projects of frameworks that take minutes to install: `npm run test:frameworks`. The table in
 * docs/bundlers.md has its results.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { createServer } from "node:net";
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
// Version 1 has all the engines; version-2.matrix.mjs tests the other.
const server = await startServer({ SALTMINE_POW_VERSION: "1" });
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
};

/** A port that was free just now: react-router-serve does not print the one that it was given for 0. */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return String(port);
}

/**
 * The projects. `app`: with the page and the script of the other projects; else components import `start.js`. `output` is the folder that the build makes where files are all that is needed, `server` the script of the
 * build that serves the page; `dev` starts the development server.
 */
const PROJECTS = {
  angular: { app: true, output: "dist/browser" },
  farm: { app: true, output: "dist" },
  rsbuild: { app: true, output: "dist" },
  astro: { app: true, output: "dist" },
  "astro-6": { app: true, dev: ["node_modules/astro/bin/astro.mjs", "dev", "--port", "0"] },
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
  // A library that has the package within it, bundled again by an application's Vite.
  tsdown: { app: true, output: "dist" },
};

for (const [name, { app, dev, output, server }] of Object.entries(PROJECTS)) {
  test(name, async (t) => {
    const folder = await installProject(t, name, tarball, here);
    if (app) await copyApp(folder);
    else await copyFile(join(here, "start.js"), join(folder, "start.js"));
    // The Node of the project, where its framework needs a newer one than the package does.
    const own = join(folder, "node_modules", ".bin", "node");
    const node = existsSync(own) ? own : process.execPath;
    const open = async (t, args) => {
      const PORT = await freePort();
      const env = { ...ENV, PORT, NITRO_PORT: PORT, ...(args === server && { NODE_ENV: "production" }) };
      const [, port] = await startIn(t, folder, node, args, /http:\/\/(?:127\.0\.0\.1|localhost):(\d+)/, env);
      const url = `http://127.0.0.1:${port}/`;
      // A development server compiles the page at the first request.
      await (await fetch(url)).text();
      assertToken(await outcomeOf(url));
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
