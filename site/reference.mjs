/** Generates the API reference as Markdown from the package's declarations: one page for each entry point. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "pkg", "package.json"), "utf8"));

/** The entry points with types and exports. Classic scripts, which set a global, have none. */
export const ENTRY_POINTS = Object.entries(manifest.exports)
  .filter(([path, { types }]) => types && !path.endsWith(".global.js"))
  .map(([path, { types }]) => {
    const page = path === "." ? manifest.name : path.slice(2);
    return {
      name: manifest.name + path.slice(1),
      types: join(root, "pkg", types),
      source: `api/${page}.md`,
      file: `api/${page}.html`,
    };
  });

/** Entry points with the same exports share a declaration file. The first of them has the reference. */
const FIRST = ENTRY_POINTS.filter(
  ({ types }, index) => ENTRY_POINTS.findIndex((other) => other.types === types) === index,
);

const OPTIONS = {
  plugin: ["typedoc-plugin-markdown"],
  entryPoints: FIRST.map(({ types }) => types),
  tsconfig: fileURLToPath(new URL("tsconfig.reference.json", import.meta.url)),
  readme: "none",
  logLevel: "Warn",
  treatWarningsAsErrors: true,
  // Line numbers of published declarations do not help a reader.
  disableSources: true,
  // The members that errors inherit from `Error`.
  excludeExternals: true,
  intentionallyNotExported: ["SENTENCES"],
  sort: ["source-order"],
  groupOrder: ["Functions", "Interfaces", "Classes", "Type Aliases", "Variables"],
  outputFileStrategy: "modules",
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  expandParameters: true,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  classPropertiesFormat: "table",
  typeDeclarationFormat: "table",
  tableColumnSettings: { hideDefaults: true, hideInherited: true, hideModifiers: true, hideOverrides: true },
};

/** Returns the texts by `source`. They are cached until the declarations, this file or the lock file change. */
export async function readReference() {
  const folder = join(root, ".cache", "reference");
  const state = join(folder, await fingerprint());
  if (!existsSync(state)) {
    await rm(folder, { recursive: true, force: true });
    await write(state);
  }
  const texts = new Map();
  for (const { name, types, source } of FIRST) {
    const text = await readFile(join(state, `${basename(types, ".d.ts")}.md`), "utf8");
    texts.set(source, relinked(text).replace(/^# .*/, `# \`${name}\``));
  }
  for (const { name, types, source } of ENTRY_POINTS) {
    if (texts.has(source)) continue;
    const first = FIRST.find((other) => other.types === types);
    texts.set(source, sameAs(name, first, texts.get(first.source)));
  }
  return texts;
}

async function fingerprint() {
  const hash = createHash("sha256");
  const dist = join(root, "pkg", "dist");
  const declarations = (await readdir(dist, { recursive: true }))
    .filter((name) => name.endsWith(".d.ts"))
    .sort();
  const files = declarations.map((name) => join(dist, name));
  for (const file of [...files, fileURLToPath(import.meta.url), join(root, "package-lock.json")])
    hash.update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
}

async function write(folder) {
  const { Application } = await import("typedoc");
  const app = await Application.bootstrapWithPlugins({
    ...OPTIONS,
    outputs: [{ name: "markdown", path: folder }],
  });
  const project = await app.convert();
  if (project) await app.generateOutputs(project);
  if (!project || app.logger.hasErrors() || app.logger.hasWarnings()) {
    await rm(folder, { recursive: true, force: true });
    throw new Error("TypeDoc could not generate the API reference. Its message is above.");
  }
}

/** Corrects the links between the pages, and removes the bar before the first type of a union. */
function relinked(text) {
  const renamed = FIRST.reduce(
    (changed, { types, source }) =>
      changed.replaceAll(`](${basename(types, ".d.ts")}.md`, `](${basename(source)}`),
    text,
  );
  return renamed.replaceAll(/\| \\\| /g, "| ");
}

/** Returns the page of an entry point with the same exports as `first`. */
function sameAs(name, first, text) {
  const names = [...text.matchAll(/^### (\w|\\_)+(?=(\(\))?$)/gm)].map(([heading]) =>
    heading.slice(4).replaceAll("\\_", "_"),
  );
  return `# \`${name}\`

This entry point has the exports of [\`${first.name}\`](${basename(first.source)}), in one file that imports nothing later. See
[where it runs](../docs/client.md#where-it-runs).

${names.map((exported) => `- \`${exported}\``).join("\n")}
`;
}
