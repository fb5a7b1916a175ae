// Builds the npm package's dist/: an entry point for each runtime, the workers, and the engines' modules beside them.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { inlineParts } from "./build/inline-parts.mjs";
import { minifyFolder } from "./build/minify.mjs";
import { isUpToDate, markBuilt } from "./build/stamp.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${here}dist`;

// The minifier takes half a minute, and most tasks build the package.
if (await isUpToDate(root)) process.exit();
await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

/** The oldest browsers that run module workers; wasm-pack.toml has the wasm's. */
const WEB_TARGET = ["chrome91", "firefox90", "safari15"];

const { version } = JSON.parse(await readFile(`${here}package.json`, "utf8"));

const shared = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  minify: true,
  legalComments: "none",
  // Beside each script; the sources are in it.
  sourcemap: "external",
  define: { PACKAGE_VERSION: JSON.stringify(version) },
  logLevel: "warning",
  outdir: "dist",
};

const browser = { platform: "browser", target: WEB_TARGET };

/**
 * Leaves dynamic imports of `#name` to files of their own; the engine without a worker has one for each runtime, with
 * `prefix` before its name.
 */
const chunks = ({ prefix = "" } = {}) => ({
  name: "chunks",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^#/ }, ({ path, kind }) => {
      if (kind !== "dynamic-import") return undefined;
      const own = /^#(keys|(kdf-)?page-engine)/.test(path) ? prefix : "";
      return { path: `./${own}${path.slice(1)}.js`, external: true };
    });
  },
});

/**
 * Makes a function of wasm-bindgen's scripts: their variables belong to one instance of a module, and the page's thread may
 * have several searches at a time, or an instance in the place of one that failed. `guard` runs the functions of the module
 * that the runtime calls: callbacks of promises and microtasks.
 */
const glueFactory = {
  name: "glue-factory",
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]wasm[\\/](kdf|client)\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const names = Array.from(
        text.matchAll(/^export (?:class|const|function) ([\w$]+)/gm),
        ([, name]) => name,
      );
      const callback = "return f(a, state.b, ...args);";
      const isGuarded = path.endsWith("client.js");
      if (isGuarded && !text.includes(callback)) throw new Error(`${path} has no ${callback}`);
      const body = text
        .replace(/^export /gm, "")
        .replace(callback, "return guard(() => f(a, state.b, ...args));");
      const parameter = isGuarded ? "guard" : "";
      return {
        contents: `export function createGlue(${parameter}) {\n${body}\nreturn { ${names.join(", ")} };\n}`,
      };
    });
  },
};

// Browsers. `saltmine/altcha-lib` and `saltmine/react` import the main entry point, so that its classes are theirs.
await build({
  ...shared,
  ...browser,
  entryPoints: {
    index: "src/index.ts",
    search: "src/solver/search-chunk.ts",
    requests: "src/api/caller-requests.ts",
    worker: "src/worker/web-worker.ts",
    "page-engine": "src/worker/page-engine.ts",
    javascript: "src/worker/javascript-file.ts",
    keys: "src/kdf/keys-chunk.ts",
    "kdf-worker": "src/kdf/web-worker.ts",
    "kdf-page-engine": "src/kdf/page-engine.ts",
    "altcha-lib": "src/altcha-lib.ts",
    "altcha-workers": "src/altcha-workers.ts",
    "altcha-worker": "src/kdf/altcha-worker.ts",
    react: "src/react.ts",
  },
  external: ["saltmine", "react"],
  plugins: [chunks(), glueFactory],
});
// Node.
await build({
  ...shared,
  platform: "node",
  target: "node20",
  entryPoints: {
    node: "src/index.ts",
    "node-worker": "src/worker/node-worker.ts",
    "node-page-engine": "src/worker/page-engine.ts",
    "node-keys": "src/kdf/keys-chunk.ts",
    "node-kdf-worker": "src/kdf/node-worker.ts",
    "node-kdf-page-engine": "src/kdf/page-engine.ts",
  },
  plugins: [chunks({ prefix: "node-" }), glueFactory],
});
// A service worker has neither workers nor import(): all that the page's thread needs is one file.
await build({
  ...shared,
  ...browser,
  entryPoints: { "service-worker": "src/index.ts" },
  plugins: [glueFactory],
});
// For `<script src>`: a classic script that leaves one global, `saltmine`.
await build({
  ...shared,
  ...browser,
  format: "iife",
  globalName: "saltmine",
  entryPoints: { "saltmine.global": "src/index.ts" },
  conditions: ["saltmine-script"],
});
// One file with everything in it, as a module and as a classic script.
const inline = {
  ...shared,
  ...browser,
  conditions: ["saltmine-inline"],
  plugins: [inlineParts(here, { ...shared, ...browser, plugins: [glueFactory] }), glueFactory],
};
await build({ ...inline, entryPoints: { inline: "src/index.ts" } });
await build({
  ...inline,
  format: "iife",
  globalName: "saltmine",
  entryPoints: { "inline.global": "src/index.ts" },
});
const isScript = (file) => /\.global\.js$/.test(file);
await minifyFolder(dist, (file) => !isScript(file));
const kdfModules = (await readdir(`${here}wasm`)).filter((name) => /^kdf-.*\.wasm$/.test(name));
for (const file of ["simd128.wasm", "scalar.wasm", ...kdfModules])
  await copyFile(`${here}wasm/${file}`, `${dist}/${file}`);

// The tarball's documents beside dist/: the guides to the client, the changelog, and a README without the picture;
// none of them has links to files that the tarball does not contain.
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
for (const script of ["saltmine", "inline"])
  await writeFile(
    `${dist}/${script}.global.d.ts`,
    `import type * as exports from "./index.js";

declare global {
  /** The global variable that the script defines. */
  const saltmine: typeof exports;
}
`,
  );

// The hash of every file of dist/, for `integrity` attributes, import maps and policies.
const hashes = {};
const published = (await readdir(dist, { withFileTypes: true })).filter((entry) => entry.isFile());
for (const file of published.map(({ name }) => name).sort()) {
  const digest = createHash("sha384").update(await readFile(`${dist}/${file}`));
  hashes[file] = `sha384-${digest.digest("base64")}`;
}
await writeFile(`${dist}/integrity.json`, `${JSON.stringify({ version, files: hashes }, null, 2)}\n`);
await markBuilt(root);

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
