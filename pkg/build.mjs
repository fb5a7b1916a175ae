// Builds the npm package's dist/: two doors (browsers, Node), their workers, the engines' modules beside them.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${here}dist`;

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

/** The oldest browsers that run module workers; wasm-pack.toml has the wasm's. */
const WEB_TARGET = ["chrome91", "firefox90", "safari15"];

/** The classic script. */
const GLOBAL = "saltmine.global";

const { version } = JSON.parse(await readFile(`${here}package.json`, "utf8"));

const shared = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  minify: true,
  legalComments: "none",
  define: { PACKAGE_VERSION: JSON.stringify(version) },
  logLevel: "warning",
  outdir: "dist",
};

/** What stays a file of its own, beside the one that imports it. */
const beside = (files) => ({
  name: "beside",
  setup: ({ onResolve }) => {
    const path = ({ path }) => ({ path: files[path], external: true });
    onResolve({ filter: new RegExp(`^(${Object.keys(files).join("|")})$`) }, path);
  },
});

/** Each runtime has its own way to start a thread and to read the wasm; the rest is the same source. */
async function buildRuntime(platform, { prefix, door, worker }, options) {
  const entries = (entryPoints, alias, files) =>
    build({ ...shared, ...options, entryPoints, alias, plugins: [beside(files)] });
  // Loaded only where there can be no worker.
  await entries(
    [{ in: "src/index.ts", out: door }],
    { "#runtime": `./src/runtime/${platform}.ts` },
    {
      "#requests": "./requests.js",
      "#keys": `./${prefix}keys.js`,
      "#search": "./search.js",
      "#page-engine": `./${prefix}page-engine.js`,
      "#page-engine-javascript": `./${prefix}page-engine-javascript.js`,
      "#page-engine-javascript-all": `./${prefix}page-engine-javascript-all.js`,
    },
  );
  // Challenges of version 2: the search, its worker, and its engine where there can be no worker.
  await entries(
    [
      { in: "src/kdf/keys-chunk.ts", out: `${prefix}keys` },
      { in: `src/kdf/${worker === "worker" ? "web-worker" : worker}.ts`, out: `${prefix}kdf-worker` },
      { in: "src/kdf/page-engine.ts", out: `${prefix}kdf-page-engine` },
    ],
    {
      "#kdf-glue": "./wasm/kdf.js",
      "#kdf-load": `./src/kdf/load-${platform}.ts`,
      "#kdf-runtime": `./src/kdf/runtime-${platform}.ts`,
    },
    { "#kdf-page-engine": `./${prefix}kdf-page-engine.js` },
  );
  // The same two for each kind of module. Those in JavaScript are shared by whoever needs them.
  for (const [suffix, load] of [
    ["", platform],
    ["-javascript", "javascript"],
    ["-javascript-all", "javascript"],
  ]) {
    await entries(
      [
        { in: `src/worker/${worker === "worker" ? "web-worker" : worker}.ts`, out: `${worker}${suffix}` },
        { in: "src/worker/page-engine.ts", out: `${prefix}page-engine${suffix}` },
      ],
      { "#load": `./src/worker/load-${load}.ts` },
      { "#javascript": `./${suffix.slice(1)}.js` },
    );
  }
}

await buildRuntime(
  "web",
  { prefix: "", door: "index", worker: "worker" },
  { platform: "browser", target: WEB_TARGET },
);
await buildRuntime(
  "node",
  { prefix: "node-", door: "node", worker: "node-worker" },
  { platform: "node", target: "node20" },
);
// A service worker has neither workers nor import(): all that the page's thread needs is one file.
await build({
  ...shared,
  platform: "browser",
  target: WEB_TARGET,
  entryPoints: [{ in: "src/index.ts", out: "service-worker" }],
  alias: {
    "#runtime": "./src/runtime/web.ts",
    "#requests": "./src/api/caller-requests.ts",
    "#search": "./src/solver/search-chunk.ts",
    "#page-engine": "./src/worker/page-engine.ts",
    "#load": "./src/worker/load-web.ts",
    "#keys": "./src/kdf/keys-chunk.ts",
    "#kdf-glue": "./wasm/kdf.js",
    "#kdf-load": "./src/kdf/load-web.ts",
    "#kdf-page-engine": "./src/kdf/page-engine.ts",
    "#kdf-runtime": "./src/kdf/runtime-web.ts",
  },
  plugins: [
    beside({
      "#page-engine-javascript": "./page-engine-javascript.js",
      "#page-engine-javascript-all": "./page-engine-javascript-all.js",
    }),
  ],
});
// For `<script src>`: a classic script that leaves one global, `saltmine`.
await build({
  ...shared,
  format: "iife",
  globalName: "saltmine",
  platform: "browser",
  target: WEB_TARGET,
  entryPoints: [{ in: "src/index.ts", out: GLOBAL }],
  alias: { "#runtime": "./src/runtime/script.ts" },
  // What bundlers are to see, and nobody here; the lazy parts have addresses of their own.
  define: { ...shared.define, "import.meta.url": '""' },
  external: [
    "#page-engine",
    "#page-engine-javascript",
    "#page-engine-javascript-all",
    "#requests",
    "#search",
    "#keys",
  ],
});
// Doors beside the main one: they import that, so that its classes are theirs.
await build({
  ...shared,
  target: WEB_TARGET,
  external: ["saltmine", "react"],
  entryPoints: ["src/altcha-lib.ts", "src/react.ts"],
});
// The workers of the altcha widget.
await build({
  ...shared,
  platform: "browser",
  target: WEB_TARGET,
  entryPoints: ["src/altcha-workers.ts", { in: "src/kdf/altcha-worker.ts", out: "altcha-worker" }],
  alias: { "#kdf-glue": "./wasm/kdf.js", "#kdf-load": "./src/kdf/load-web.ts" },
});
// The same for every runtime.
await build({
  ...shared,
  target: WEB_TARGET,
  entryPoints: [
    { in: "src/solver/search-chunk.ts", out: "search" },
    { in: "src/api/caller-requests.ts", out: "requests" },
  ],
});
// esbuild's output is another 3 % smaller after terser, which tries harder.
for (const file of await readdir(dist)) {
  const options = {
    module: !file.startsWith(GLOBAL),
    ecma: 2020,
    compress: {
      passes: 3,
      keep_fargs: false,
      unsafe_arrows: true,
      directives: false,
      inline: 1,
      unsafe_methods: true,
    },
  };
  const { code } = await minify(await readFile(`${dist}/${file}`, "utf8"), options);
  await writeFile(`${dist}/${file}`, code);
}
const kdfModules = (await readdir(`${here}wasm`)).filter((name) => /^kdf-.*\.wasm$/.test(name));
for (const file of ["simd128.wasm", "scalar.wasm", "javascript.js", "javascript-all.js", ...kdfModules])
  await copyFile(`${here}wasm/${file}`, `${dist}/${file}`);

// What the tarball must carry beside dist/: the guides to the client, the changelog, and a README without the picture;
// none of them with links to what is not there.
const guides = (await readdir(`${root}docs`))
  .filter((name) => name.endsWith(".md") && name !== "production.md")
  .map((name) => `docs/${name}`);
const pages = ["README.md", "CHANGELOG.md", ...guides];
await rm(`${here}docs`, { recursive: true, force: true });
await mkdir(`${here}docs`);
for (const page of pages) {
  const text = (await readFile(root + page, "utf8"))
    .replace(/^!\[.*\n\n/m, "")
    .replace(/\[([^\]]+)\]\((?!https?:|#)([^)#]+)[^)]*\)/g, (link, words, path) =>
      pages.includes(posix.join(dirname(page), path)) ? link : words,
    );
  await writeFile(here + page, text);
}
for (const file of ["LICENSE-MIT", "LICENSE-APACHE"]) await copyFile(`${root}${file}`, `${here}${file}`);

execFileSync(
  process.execPath,
  [`${root}node_modules/typescript/bin/tsc`, "--project", `${here}tsconfig.types.json`],
  { stdio: ["ignore", 2, 2] },
);
await keepPublicTypes(dist);

// The hash of every file of dist/, for `integrity` attributes, import maps and policies.
const hashes = {};
const published = (await readdir(dist, { withFileTypes: true })).filter((entry) => entry.isFile());
for (const file of published.map(({ name }) => name).sort()) {
  const digest = createHash("sha384").update(await readFile(`${dist}/${file}`));
  hashes[file] = `sha384-${digest.digest("base64")}`;
}
await writeFile(`${dist}/integrity.json`, `${JSON.stringify({ version, files: hashes }, null, 2)}\n`);

/** tsc writes a declaration for every source; the package carries those that its entry points lead to. */
async function keepPublicTypes(folder) {
  const reached = new Set();
  const visit = async (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    const text = await readFile(`${folder}/${file}`, "utf8");
    for (const [, path] of text.matchAll(/from "(\.\.?\/[^"]+)\.js"/g))
      await visit(posix.join(posix.dirname(file), `${path}.d.ts`));
  };
  for (const entry of ["index", "altcha-lib", "altcha-workers", "react"]) await visit(`${entry}.d.ts`);
  for (const file of await readdir(folder, { recursive: true })) {
    if (file.endsWith(".d.ts") && !reached.has(file)) await rm(`${folder}/${file}`);
  }
  for (const name of await readdir(folder)) if (!/\./.test(name)) await removeIfEmpty(`${folder}/${name}`);
}

async function removeIfEmpty(folder) {
  if ((await readdir(folder)).length === 0) await rm(folder, { recursive: true });
}
