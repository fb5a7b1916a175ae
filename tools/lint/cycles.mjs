/**
 * Fails on import cycles, those of types and of dynamic imports included, in the package, the demo page and the
 * documentation site. The files that are still in a cycle are in `allowed-cycles.json`; `--write` removes
 * those that no longer are.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import dpdm from "dpdm";
import { compare, readAllowed } from "./allow-list.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ALLOWED = "allowed-cycles.json";
const SOURCES = ["pkg", "www", "site"].flatMap((folder) => [`${folder}/src/**/*.ts`, `${folder}/*.mjs`]);

process.chdir(root);
const entries = (await Promise.all(SOURCES.map((pattern) => dpdm.globFiles(pattern, root)))).flat();
// A pattern that matches nothing would check nothing.
if (entries.length < 50) throw new Error(`Only ${entries.length} source files were found: see SOURCES.`);
const tree = await dpdm.parseDependencyTree(
  entries.map((entry) => join(root, entry)),
  { context: root, exclude: /node_modules/ },
);
const cycles = dpdm.parseCircular(tree);

const allowed = readAllowed(ALLOWED);
for (const cycle of cycles.filter((cycle) => cycle.some((file) => !(file in allowed)))) {
  console.error(`import cycle: ${[...cycle, cycle[0]].join(" → ")}`);
}
const inCycles = Object.fromEntries(cycles.flat().map((file) => [file, 1]));
compare(inCycles, ALLOWED, (file) => `${file}: in an import cycle`);
