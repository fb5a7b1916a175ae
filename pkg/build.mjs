// Builds the npm package's dist/: two doors (browsers, Node), a worker for each, the wasm variants beside them.
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${here}dist`;

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

const shared = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  outdir: "dist",
};

/** Each runtime has its own way to start a thread and to read the wasm; the rest is the same source. */
async function buildRuntime(platform, { prefix, door, worker }, options) {
  const alias = { "#platform": `./src/platform/${platform}.ts`, "#spawn": `./src/spawn/${platform}.ts` };
  // Loaded only where there can be no worker, so they stay files of their own: one for each wasm instance, since the
  // glue holds one.
  const pageEngines = ["page-engine", "page-engine-scalar"];
  const external = {
    name: "page-engine",
    setup: ({ onResolve }) =>
      onResolve({ filter: /^#page-engine/ }, ({ path }) => ({
        path: `./${prefix}${path.slice(1)}.js`,
        external: true,
      })),
  };
  const entryPoints = [
    { in: "src/index.ts", out: door },
    { in: `src/${worker}.ts`, out: worker },
    ...pageEngines.map((name) => ({ in: "src/page-engine.ts", out: `${prefix}${name}` })),
  ];
  await build({ ...shared, ...options, alias, entryPoints, plugins: [external] });
}

await buildRuntime(
  "web",
  { prefix: "", door: "index", worker: "worker" },
  // The oldest browsers that run module workers; wasm-pack.toml has the wasm's.
  { platform: "browser", target: ["chrome91", "firefox90", "safari15"] },
);
await buildRuntime(
  "node",
  { prefix: "node-", door: "node", worker: "node-worker" },
  { platform: "node", target: "node20" },
);
for (const variant of ["simd128", "scalar"])
  await copyFile(`${here}wasm/${variant}.wasm`, `${dist}/${variant}.wasm`);

// What the tarball must carry beside dist/. Its README stands alone: no links into the work tree, no picture.
const readme = (await readFile(`${root}README.md`, "utf8"))
  .replace(/^!\[.*\n\n/m, "")
  .replace(/\[([^\]]+)\]\((?!https?:|#)[^)]+\)/g, "$1");
await writeFile(`${here}README.md`, readme);
for (const file of ["LICENSE-MIT", "LICENSE-APACHE"]) await copyFile(`${root}${file}`, `${here}${file}`);

execFileSync(
  process.execPath,
  [`${root}node_modules/typescript/bin/tsc`, "--project", `${here}tsconfig.types.json`],
  { stdio: ["ignore", 2, 2] },
);
await keepPublicTypes(dist);

/** tsc writes a declaration for every source; the package carries those that its door leads to. */
async function keepPublicTypes(folder) {
  const reached = new Set();
  const visit = async (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    const text = await readFile(`${folder}/${file}`, "utf8");
    for (const [, name] of text.matchAll(/from "\.\/([^"]+)\.js"/g)) await visit(`${name}.d.ts`);
  };
  await visit("index.d.ts");
  for (const file of await readdir(folder, { recursive: true })) {
    if (file.endsWith(".d.ts") && !reached.has(file)) await rm(`${folder}/${file}`);
  }
  for (const name of ["platform", "spawn"]) await rm(`${folder}/${name}`, { recursive: true, force: true });
}
