/** Where the documentation's code is run: a page of Chromium that has the package, beside the reference server. */
import { after } from "node:test";
import { launchBrowser } from "../support/browser.mjs";
import { startServer } from "../support/server.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";

/** Starts all of it, the server with `env`; ends it after the tests. */
export async function documented(env) {
  const server = await startServer(env);
  const tarball = await installTarball();
  const imports = { saltmine: tarball.doors.web, "saltmine/altcha-lib": "/saltmine/altcha-lib.js" };
  const importMap = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  const files = { "/": BLANK_PAGE + importMap };
  const site = await serveFiles({ folders: { "/saltmine/": tarball.dist }, files });
  const browser = await launchBrowser();
  after(async () => {
    await browser.close();
    await site.close();
    await server.stop();
    await tarball.remove();
  });
  return { server, tarball, files, site, browser };
}
