/** The sizes of the files that a page loads, measured by loading it: the package's own files, and bundles of each import. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { launchBrowser } from "../support/browser.mjs";
import { servePages, untilDone } from "../support/pages.mjs";
import { rivalVersions, table } from "../support/report.mjs";
import { installTarball } from "../support/tarball.mjs";
import { BUDGETS } from "./budgets.mjs";
import { loadScenarios } from "./scenarios.mjs";

const require = createRequire(import.meta.url);
/** Its workers are in its one file. */
const WIDGET_3 = fileURLToPath(
  new URL("main/altcha.umd.min.cjs", new URL("../", import.meta.resolve("altcha-3"))),
);
/** Cap's widget loads this module from a CDN. Its service has no protocol that the measured pages speak. */
const CAP = ["@cap.js/widget", "@cap.js/wasm/browser/cap_wasm_bg.wasm"].map((name) => require.resolve(name));

/** The page's own script is in its text. */
const NO_WASM = { "content-security-policy": "script-src 'self' 'unsafe-inline'" };

/** The search of a challenge of version 2: its script on the page, its worker and its module. */
const KEY_FILES = ["keys.js", "kdf-worker.js", "kdf-sha.wasm"];

const readAll = (paths) => Promise.all(paths.map(async (path) => ({ path, body: await readFile(path) })));

const sizesOf = ({ body }) => [
  body.length,
  gzipSync(body, { level: 9 }).length,
  brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }).length,
];
const sum = (files) =>
  files.map(sizesOf).reduce((total, sizes) => total.map((bytes, column) => bytes + sizes[column]));
const gzip = (files) => sum(files)[1];
const cells = (sizes) => sizes.map((bytes) => bytes.toLocaleString("en"));
const row = (file) => [`\`${file.path.split("/").at(-1)}\``, ...cells(sizesOf(file))];
const total = (name, files) => [`**${name}**`, ...cells(sum(files)).map((cell) => `**${cell}**`)];

/**
 * `text` is the block of docs/benchmarks.md; `checks` are what has a budget: `{ what, bytes, most }`.
 */
export async function measureSizes() {
  const tarball = await installTarball();
  const browser = await launchBrowser();

  /** Returns the files that a page loads besides itself and the service's responses, and the result that it reports. */
  async function load(path, options) {
    const site = await servePages(tarball, {}, options);
    const page = await browser.newPage();
    try {
      const done = await untilDone(page, site.baseUrl + path);
      await page.waitForLoadState("networkidle");
      const files = site.sent.filter((sent) => sent.path !== path && !sent.path.startsWith("/run/"));
      // The worker and its module are requested at the same time.
      files.sort((one, other) => (one.path < other.path ? -1 : 1));
      const failed = files.filter(({ status }) => status !== 200);
      if (failed.length > 0)
        throw new Error(`${path} asked in vain for ${failed.map((file) => file.path).join(", ")}`);
      return { done, files };
    } finally {
      await page.close();
      await site.close();
    }
  }

  async function loadOurs(engine, headers = {}) {
    const { done, files } = await load("/", { headers });
    const { backend } = done;
    if (backend.engine !== engine || backend.thread !== "worker")
      throw new Error(`it ran on ${JSON.stringify(backend)}`);
    return files;
  }

  try {
    const ours = await loadOurs("simd128");
    const refused = await loadOurs("javascript", NO_WASM);
    // Loaded there as well as everywhere: the entry point, and the worker that finds out.
    const javascript = refused.filter(({ path }) => !ours.some((file) => file.path === path));
    const widget = await load("/widget");
    const [widget3, cap, keys] = await Promise.all([
      readAll([WIDGET_3]),
      readAll(CAP),
      readAll(KEY_FILES.map((name) => join(tarball.dist, name))),
    ]);
    const scenarios = await loadScenarios(tarball, load);
    const keyModules = await Promise.all(
      Object.keys(BUDGETS.keyModulesGzip).map(async (name) => ({
        name,
        body: await readFile(join(tarball.dist, `${name}.wasm`)),
      })),
    );
    const inline = { path: "inline.js", body: await readFile(join(tarball.dist, "inline.js")) };

    const text = [
      table(
        ["loaded to reach a token, bytes", "raw", "gzip -9", "brotli"],
        [
          ...ours.map(row),
          total("saltmine, all of it", ours),
          [`\`altcha\` ${rivalVersions.altcha}, the widget`, ...cells(sum(widget.files))],
          [`\`altcha\` ${rivalVersions["altcha-3"].split("@").at(-1)}, the widget`, ...cells(sum(widget3))],
          [
            `Cap, \`@cap.js/widget\` ${rivalVersions["@cap.js/widget"]} and its wasm file`,
            ...cells(sum(cap)),
          ],
        ],
      ),
      table(
        ["loaded in addition for a challenge of version 2 with PBKDF2, bytes", "raw", "gzip -9", "brotli"],
        [...keys.map(row), total("version 2, all of it", keys)],
      ),
      table(
        ["loaded in addition where WebAssembly is refused, bytes", "raw", "gzip -9", "brotli"],
        [...javascript.map(row), total("the JavaScript engine, all of it", javascript)],
      ),
      table(
        ["in place of all these, one file: `saltmine/inline`, bytes", "raw", "gzip -9", "brotli"],
        [row(inline)],
      ),
      table(
        ["bundled by esbuild, gzip -9, bytes", "in the entry", "before the search starts"],
        scenarios.map(({ name, entry, files }) => [`\`${name}\``, ...cells([gzip(entry), gzip(files)])]),
      ),
    ].join("\n\n");

    const checks = [
      { what: "the first load, gzip", bytes: gzip(ours), most: BUDGETS.firstLoadGzip },
      { what: "the JavaScript engine, gzip", bytes: gzip(javascript), most: BUDGETS.javascriptGzip },
      { what: "the one-file entry point, gzip", bytes: gzip([inline]), most: BUDGETS.inlineGzip },
      ...keyModules.map(({ name, body }) => ({
        what: `the module ${name} of version 2, gzip`,
        bytes: gzip([{ body }]),
        most: BUDGETS.keyModulesGzip[name],
      })),
      {
        what: "files of version 2 that a page with version 1 loads",
        bytes: ours.filter(({ path }) => /kdf|keys/.test(path)).length,
        most: 0,
      },
      ...scenarios.flatMap(({ name, entry, files }) => {
        const { entry: entryMost, firstLoad } = BUDGETS.scenarios[name];
        return [
          { what: `${name}, the entry of its bundle, gzip`, bytes: gzip(entry), most: entryMost },
          { what: `${name}, its first load, gzip`, bytes: gzip(files), most: firstLoad },
        ];
      }),
    ];
    return { text, checks };
  } finally {
    await browser.close();
    await tarball.remove();
  }
}
