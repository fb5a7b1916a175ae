/** Where the documentation's code is run: a page of Chromium that has the package, beside the reference server. */
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "../support/browser.mjs";
import { startServer } from "../support/server.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";

/** The `altcha` widget 3.x. */
const WIDGET = fileURLToPath(new URL("..", import.meta.resolve("altcha-3")));

/** Starts all of it, the server with `env`; ends it after the tests. */
export async function documented(env) {
  const server = await startServer(env);
  const tarball = await installTarball();
  const imports = {
    saltmine: tarball.entryPoints.web,
    "saltmine/altcha-lib": "/saltmine/altcha-lib.js",
    "saltmine/altcha-workers": "/saltmine/altcha-workers.js",
    altcha: "/altcha/main/altcha.js",
  };
  const importMap = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  const files = { "/": BLANK_PAGE + importMap };
  const site = await serveFiles({ folders: { "/saltmine/": tarball.dist, "/altcha/": WIDGET }, files });
  const browser = await launchBrowser();
  after(async () => {
    await browser.close();
    await site.close();
    await server.stop();
    await tarball.remove();
  });
  return { server, tarball, files, site, browser };
}
