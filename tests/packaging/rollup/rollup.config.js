import { readdir, readFile } from "node:fs/promises";
import resolve from "@rollup/plugin-node-resolve";

/** Rollup does not follow `new URL(…, import.meta.url)`: these belong beside the bundle. */
const isBeside = (file) => /^((kdf-)?worker|javascript)\.js$|\.wasm$/.test(file);
const files = "node_modules/saltmine/dist";

const saltmine = {
  name: "saltmine",
  async generateBundle() {
    for (const fileName of (await readdir(files)).filter(isBeside)) {
      const source = await readFile(`${files}/${fileName}`);
      this.emitFile({ type: "asset", fileName, source });
    }
  },
};

export default { input: "main.js", output: { dir: "dist" }, plugins: [resolve(), saltmine] };
