import { readFile } from "node:fs/promises";
import resolve from "@rollup/plugin-node-resolve";

/** Rollup does not follow `new URL(…, import.meta.url)`: these belong beside the bundle. */
const files = ["worker.js", "javascript.js", "simd128.wasm", "scalar.wasm"];
// Challenges of ALTCHA version 2.
files.push("kdf-worker.js", "kdf-sha.wasm", "kdf-sha-scalar.wasm");

const saltmine = {
  name: "saltmine",
  async generateBundle() {
    for (const fileName of files) {
      const source = await readFile(`node_modules/saltmine/dist/${fileName}`);
      this.emitFile({ type: "asset", fileName, source });
    }
  },
};

export default { input: "main.js", output: { dir: "dist" }, plugins: [resolve(), saltmine] };
