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
const files = ["worker.js", "javascript.js", "simd128.wasm", "scalar.wasm"];
// Challenges of ALTCHA version 2.
files.push("kdf-worker.js", "kdf-sha.wasm", "kdf-sha-scalar.wasm");
for (const file of files) {
  await copyFile(`node_modules/saltmine/dist/${file}`, `dist/${file}`);
}
