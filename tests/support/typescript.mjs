/** Sources of the demo page, used here too: bundled on the fly, since Node 20 runs no TypeScript. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "./paths.mjs";

/** The text of one ES module with all that it imports; `external` are imports left as they are. */
export async function bundle(url, platform, external = []) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(url)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform,
    external,
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

/** Imports a TypeScript module into this process, from a file, so that a stack names places in it. */
export async function importTypeScript(url) {
  const folder = join(root, ".cache", "typescript");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${basename(fileURLToPath(url), ".ts")}-${process.pid}.mjs`);
  await writeFile(file, await bundle(url, "node"));
  try {
    return await import(pathToFileURL(file).href);
  } finally {
    await rm(file);
  }
}
