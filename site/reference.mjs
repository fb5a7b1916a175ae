/** The API reference: what the package's types and their comments say, as Markdown, a page for each door. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "pkg", "package.json"), "utf8"));

/** The entry points that have types and exports: a classic script leaves a global instead. */
export const DOORS = Object.entries(manifest.exports)
  .filter(([path, { types }]) => types && !path.endsWith(".global.js"))
  .map(([path, { types }]) => {
    const door = path === "." ? manifest.name : path.slice(2);
    return {
      name: manifest.name + path.slice(1),
      types: join(root, "pkg", types),
      source: `api/${door}.md`,
      file: `api/${door}.html`,
    };
  });

/** Doors that give the same share a file of declarations: the first of them has the reference. */
const FIRST = DOORS.filter(({ types }, index) => DOORS.findIndex((door) => door.types === types) === index);

const OPTIONS = {
  plugin: ["typedoc-plugin-markdown"],
  entryPoints: FIRST.map(({ types }) => types),
  tsconfig: fileURLToPath(new URL("tsconfig.reference.json", import.meta.url)),
  readme: "none",
  logLevel: "Warn",
  treatWarningsAsErrors: true,
  // The declarations as they are published have no lines that one could look up.
  disableSources: true,
  // What errors inherit from `Error`.
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

/** The texts by their `source`. What was read once is kept until the declarations or this file change. */
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
  for (const { name, types, source } of DOORS) {
    if (texts.has(source)) continue;
    const first = FIRST.find((door) => door.types === types);
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
    throw new Error("The API reference could not be made: see TypeDoc's message above.");
  }
}

/** Links between the pages, which TypeDoc names by their declarations; and no bar before a union's first type. */
function relinked(text) {
  const renamed = FIRST.reduce(
    (changed, { types, source }) =>
      changed.replaceAll(`](${basename(types, ".d.ts")}.md`, `](${basename(source)}`),
    text,
  );
  return renamed.replaceAll(/\| \\\| /g, "| ");
}

/** The page of a door that gives what another gives. */
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
