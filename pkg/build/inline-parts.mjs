// The parts of the one-file entry point, as modules that its source imports by names with a "#".
import { readFile } from "node:fs/promises";
import { deflateSync } from "node:zlib";
import { build } from "esbuild";
import { minifyScript } from "./minify.mjs";

/** An esbuild plugin; `shared` are the options that every build of the package has, `folder` is the package's. */
export const inlineParts = (folder, shared) => ({
  name: "inline-parts",
  setup: ({ onResolve, onLoad }) => {
    const parts = {
      "#inline-wasm": () => packed(`${folder}wasm/simd128.wasm`),
      "#inline-kdf-sha": () => packed(`${folder}wasm/kdf-sha.wasm`),
      "#inline-kdf-worker": async () =>
        defaultText(
          await minifyScript(
            await bundled(shared, {
              entryPoints: ["src/kdf/web-worker.ts"],
              conditions: ["saltmine-inline-worker"],
            }),
          ),
        ),
      "#inline-worker": async () =>
        defaultText(
          await minifyScript(await bundled(shared, { entryPoints: ["src/worker/inline-worker.ts"] })),
        ),
      // A function around the whole engine, so that the engine can be made from only the function's text.
      "#inline-javascript": async () => {
        const text = await bundled(shared, {
          entryPoints: ["src/worker/javascript.ts"],
          globalName: "engine",
        });
        return `export default function () { ${text}\nreturn engine; }`;
      },
    };
    onResolve({ filter: /^#inline-/ }, ({ path }) => ({ path, namespace: "inline" }));
    onLoad({ filter: /.*/, namespace: "inline" }, async ({ path }) => ({ contents: await parts[path]() }));
  },
});

/** A module that exports the deflated bytes of a file in base64. */
const packed = async (path) =>
  defaultText(deflateSync(await readFile(path), { level: 9 }).toString("base64"));

const defaultText = (text) => `export default ${JSON.stringify(text)};`;

/** The text of a classic script. */
async function bundled(shared, options) {
  const { outputFiles } = await build({
    ...shared,
    ...options,
    format: "iife",
    sourcemap: false,
    write: false,
  });
  return outputFiles[0].text;
}
