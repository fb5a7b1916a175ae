/**
 * `npm run size`: what a page loads to reach a session token, measured by loading it. Exit code 1 when the package is
 * over its budget. `--write` puts the table into the README.
 */
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { launchBrowser } from "../support/browser.mjs";
import { servePages, untilDone } from "../support/pages.mjs";
import { rivalVersions, table, writeBlock } from "../support/report.mjs";
import { installTarball } from "../support/tarball.mjs";

/** Everything that a page loads of the package to reach a token, compressed. */
const BUDGET_GZIP_BYTES = 30_000;

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const tarball = await installTarball();
const site = await servePages(tarball);
const browser = await launchBrowser();

/** The files that a page loads beside itself and the service's answers. */
async function load(path) {
  site.sent.length = 0;
  const page = await browser.newPage();
  const done = await untilDone(page, site.baseUrl + path);
  await page.waitForLoadState("networkidle");
  await page.close();
  const files = site.sent.filter((sent) => sent.path !== path && !sent.path.startsWith("/run/"));
  const failed = files.filter(({ status }) => status !== 200);
  if (failed.length > 0)
    throw new Error(`${path} asked in vain for ${failed.map((file) => file.path).join(", ")}`);
  return { done, files };
}

const sizesOf = (body) => [
  body.length,
  gzipSync(body, { level: 9 }).length,
  brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }).length,
];
const sum = (lists) => lists[0].map((_, column) => lists.reduce((total, list) => total + list[column], 0));
const cells = (sizes) => sizes.map((bytes) => bytes.toLocaleString("en"));

try {
  const ours = await load("/");
  const widget = await load("/widget");
  if (ours.done.backend.engine !== "simd128")
    throw new Error(`it ran on ${JSON.stringify(ours.done.backend)}`);
  const oursEach = ours.files.map(({ body }) => sizesOf(body));
  const oursAll = sum(oursEach);
  const widgetAll = sum(widget.files.map(({ body }) => sizesOf(body)));
  const text = table(
    ["loaded to reach a token, bytes", "raw", "gzip -9", "brotli"],
    [
      ...ours.files.map(({ path }, index) => [`\`${path.split("/").at(-1)}\``, ...cells(oursEach[index])]),
      ["**saltmine, all of it**", ...cells(oursAll).map((cell) => `**${cell}**`)],
      [`\`altcha\` ${rivalVersions.altcha}, the widget`, ...cells(widgetAll)],
    ],
  );
  console.log(text);
  if (values.write) await writeBlock("size", text);
  const [, gzip] = oursAll;
  const verdict = `${gzip.toLocaleString("en")} of ${BUDGET_GZIP_BYTES.toLocaleString("en")} bytes, compressed`;
  console.log(`\n${gzip > BUDGET_GZIP_BYTES ? "over budget" : "within budget"}: ${verdict}`);
  if (gzip > BUDGET_GZIP_BYTES) process.exitCode = 1;
} finally {
  await browser.close();
  await site.close();
  await tarball.remove();
}
