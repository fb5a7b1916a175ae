/** The shared parts of one browser's suites: the packed package, the reference server, and sites that serve pages. */
import { after } from "node:test";
import { loaded, makeClient, pageModule } from "../support/client-pages.mjs";
import { makeApp, startServer } from "../support/server.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";

const KEY = "a management key for these tests alone";

/** A module by its own address, since many a policy allows no other. */
const PAGE = `${BLANK_PAGE}<script type="module" src="/page.js"></script>`;

/** Starts what outlives the tests; it ends after them. */
export async function makeSetting() {
  const tarball = await installTarball();
  const server = await startServer({
    INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: KEY,
    // The engines of version 1: those of version 2 have tests of their own.
    SALTMINE_POW_VERSION: "1",
  });
  after(async () => {
    await server.stop();
    await tarball.remove();
  });
  const appId = await makeApp({ baseUrl: server.baseUrl, key: KEY });

  /** A site of its own, and so a storage of its own; `options` are those of `serveFiles`. */
  async function startSite(t, { files, headers, ...options } = {}) {
    const site = await serveFiles({
      folders: { "/saltmine/": tarball.dist },
      files: { "/": PAGE, "/page.js": pageModule(tarball.entryPoints.web), ...files },
      // Frames and scripts of other origins read it too.
      headers: { "access-control-allow-origin": "*", ...headers },
      ...options,
    });
    t.after(site.close);
    return site;
  }

  /** Another page, with a client; `options` are its. */
  async function openClient(t, browser, url, options = {}) {
    const page = await browser.open(url);
    t.after(() => page.close());
    await loaded(page);
    await makeClient(page, { baseUrl: server.baseUrl, appId, ...options });
    return page;
  }

  return { tarball, server, appId, startSite, openClient };
}
