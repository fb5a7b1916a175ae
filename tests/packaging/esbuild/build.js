import { copyFile } from "node:fs/promises";
import { build } from "esbuild";

await build({
  entryPoints: ["main.js"],
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  outdir: "dist",
});
// esbuild does not follow `new URL(…, import.meta.url)`.
for (const file of ["worker.js", "javascript.js", "simd128.wasm", "scalar.wasm"]) {
  await copyFile(`node_modules/saltmine/dist/${file}`, `dist/${file}`);
}
