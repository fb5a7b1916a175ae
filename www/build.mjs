// Builds the demo's pages into www/dist.
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { mastheads } from "./masthead.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

// Standard output belongs to the process that runs this: Vite's messages, if any, are written to standard error.
console.log = console.info = console.error;

await build({
  configFile: false,
  root: here,
  // Relative, so that the page works under any path.
  base: "./",
  logLevel: "warn",
  plugins: [mastheads],
  build: {
    // The wasm is fetched and compiled as it streams in; inlined it would be text that has to be decoded first.
    assetsInlineLimit: 0,
    rolldownOptions: { input: [`${here}index.html`, `${here}bench.html`] },
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // The package starts its worker as a module, and so may split it.
  worker: { format: "es" },
});
