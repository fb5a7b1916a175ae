/**
 * `npm run size`: what a page loads to reach a session token, measured by loading it; once as most do, once where
 * WebAssembly is refused. Exit code 1 when the package is over one of its budgets. `--write` puts the tables into the
 * README.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { launchBrowser } from "../support/browser.mjs";
import { servePages, untilDone } from "../support/pages.mjs";
import { rivalVersions, table, writeBlock } from "../support/report.mjs";
import { installTarball } from "../support/tarball.mjs";
import { kernelBytes } from "./kernels.mjs";

/** Bytes, at most. */
const BUDGETS = {
  firstLoadGzip: 24_000,
  javascriptGzip: 24_000,
  kernelsRaw: 24_000,
};

/** The page's own script is in its text. */
const NO_WASM = { "content-security-policy": "script-src 'self' 'unsafe-inline'" };

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const tarball = await installTarball();
const browser = await launchBrowser();

/** The files that a page loads beside itself and the service's answers, and what the page says in the end. */
async function load(path, headers = {}) {
  const site = await servePages(tarball, {}, { headers });
  const page = await browser.newPage();
  try {
    const done = await untilDone(page, site.baseUrl + path);
    await page.waitForLoadState("networkidle");
    const files = site.sent.filter((sent) => sent.path !== path && !sent.path.startsWith("/run/"));
    const failed = files.filter(({ status }) => status !== 200);
    if (failed.length > 0)
      throw new Error(`${path} asked in vain for ${failed.map((file) => file.path).join(", ")}`);
    return { done, files };
  } finally {
    await page.close();
    await site.close();
  }
}

async function loadOurs(engine, headers) {
  const { done, files } = await load("/", headers);
  const { backend } = done;
  if (backend.engine !== engine || backend.thread !== "worker")
    throw new Error(`it ran on ${JSON.stringify(backend)}`);
  return files;
}

const sizesOf = ({ body }) => [
  body.length,
  gzipSync(body, { level: 9 }).length,
  brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }).length,
];
const sum = (files) =>
  files.map(sizesOf).reduce((total, sizes) => total.map((bytes, column) => bytes + sizes[column]));
const cells = (sizes) => sizes.map((bytes) => bytes.toLocaleString("en"));
const row = (file) => [`\`${file.path.split("/").at(-1)}\``, ...cells(sizesOf(file))];
const total = (name, files) => [`**${name}**`, ...cells(sum(files)).map((cell) => `**${cell}**`)];

try {
  const ours = await loadOurs("simd128");
  const refused = await loadOurs("javascript", NO_WASM);
  // Loaded there as well as everywhere: the door, and the worker that finds out.
  const javascript = refused.filter(({ path }) => !ours.some((file) => file.path === path));
  const widget = await load("/widget");
  const kernels = await kernelBytes(join(tarball.dist, "simd128.wasm"));

  const text = [
    table(
      ["loaded to reach a token, bytes", "raw", "gzip -9", "brotli"],
      [
        ...ours.map(row),
        total("saltmine, all of it", ours),
        [`\`altcha\` ${rivalVersions.altcha}, the widget`, ...cells(sum(widget.files))],
      ],
    ),
    table(
      ["loaded in addition where WebAssembly is refused, bytes", "raw", "gzip -9", "brotli"],
      [...javascript.map(row), total("the JavaScript engine, all of it", javascript)],
    ),
    `Of \`simd128.wasm\` the search alone, without the flow, is ${kernels.toLocaleString("en")} bytes.`,
  ].join("\n\n");
  console.log(`${text}\n`);
  if (values.write) await writeBlock("size", text);

  const checks = [
    ["the first load, gzip", sum(ours)[1], BUDGETS.firstLoadGzip],
    ["the JavaScript engine, gzip", sum(javascript)[1], BUDGETS.javascriptGzip],
    ["the SIMD kernels, raw", kernels, BUDGETS.kernelsRaw],
  ];
  for (const [what, bytes, most] of checks) {
    const within = bytes <= most;
    const figures = `${bytes.toLocaleString("en")} of ${most.toLocaleString("en")} bytes`;
    console.log(`${within ? "within" : "OVER"} budget: ${what}, ${figures}`);
    if (!within) process.exitCode = 1;
  }
} finally {
  await browser.close();
  await tarball.remove();
}
