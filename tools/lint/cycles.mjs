/**
 * Fails on import cycles, those of types and of dynamic imports included, in the package, the demo page and the
 * documentation site. Names that the package's `imports` map are followed for each condition. The files that are still
 * in a cycle are in `allowed-cycles.json`; `--write` removes those that no longer are.
 */
import { readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import dpdm from "dpdm";
import { compare, readAllowed } from "./allow-list.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ALLOWED = "allowed-cycles.json";
const PROJECTS = ["pkg", "www", "site"];
const SOURCES = PROJECTS.flatMap((folder) => [`${folder}/src/**/*.ts`, `${folder}/*.mjs`]);

process.chdir(root);
const entries = (await Promise.all(SOURCES.map((pattern) => dpdm.globFiles(pattern, root)))).flat();
// A pattern that matches nothing would check nothing.
if (entries.length < 50) throw new Error(`Only ${entries.length} source files were found: see SOURCES.`);
const tree = await dpdm.parseDependencyTree(
  entries.map((entry) => join(root, entry)),
  { context: root, exclude: /node_modules/ },
);

/** The `imports` of each project, by its folder. */
const imports = Object.fromEntries(
  PROJECTS.map((project) => [
    project,
    JSON.parse(readFileSync(join(project, "package.json"), "utf8")).imports,
  ]),
);

/** The conditions of a target of `imports`, nested ones included. */
const conditionsOf = (target) =>
  typeof target === "object"
    ? Object.entries(target ?? {}).flatMap(([name, inner]) => [name, ...conditionsOf(inner)])
    : [];

/** The file of a target under a condition. */
function resolveTarget(target, condition) {
  if (typeof target !== "object") return target;
  const [, inner] =
    Object.entries(target ?? {}).find(([name]) => name === condition || name === "default") ?? [];
  return resolveTarget(inner, condition);
}

/** The tree of imports under a condition: dpdm itself follows the default only. */
function treeFor(condition) {
  const resolve = (dependency) => {
    const [project] = dependency.issuer.split(sep);
    const target = resolveTarget(imports[project]?.[dependency.request], condition);
    return target === undefined ? dependency : { ...dependency, id: join(project, target) };
  };
  return Object.fromEntries(
    Object.entries(tree).map(([file, dependencies]) => [file, dependencies?.map(resolve)]),
  );
}

const targets = Object.values(imports).flatMap((map) => Object.values(map ?? {}));
const conditions = new Set(["default", ...targets.flatMap(conditionsOf)]);
const cycles = dpdm.uniqueCirculars(
  [...conditions].flatMap((condition) => dpdm.parseCircular(treeFor(condition))),
);

const allowed = readAllowed(ALLOWED);
for (const cycle of cycles.filter((cycle) => cycle.some((file) => !(file in allowed)))) {
  console.error(`import cycle: ${[...cycle, cycle[0]].join(" → ")}`);
}
const inCycles = Object.fromEntries(cycles.flat().map((file) => [file, 1]));
compare(inCycles, ALLOWED, (file) => `${file}: in an import cycle`);
