/** Sources of the demo page, used here too: bundled on the fly, since Node 20 runs no TypeScript. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

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

/** Imports a TypeScript module into this process. */
export async function importTypeScript(url) {
  return import(`data:text/javascript,${encodeURIComponent(await bundle(url, "node"))}`);
}
