import { copyFile, readdir } from "node:fs/promises";
import { build } from "esbuild";

await build({
  entryPoints: ["main.js"],
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  outdir: "dist",
});
// esbuild does not follow `new URL(…, import.meta.url)`: these belong beside the bundle.
const files = "node_modules/saltmine/dist";
for (const file of await readdir(files)) {
  if (/^((kdf-)?worker|javascript)\.js$|\.wasm$/.test(file))
    await copyFile(`${files}/${file}`, `dist/${file}`);
}
