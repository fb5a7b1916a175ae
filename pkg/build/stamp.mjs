// Whether the package is up to date: by the content of everything that it is built from, and of everything that was built.
import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** The sources and the outputs, by paths relative to the repository. A source that is missing counts as empty. */
const SOURCES = [
  ...["src", "wasm", "build", "build.mjs", "package.json", "tsconfig.json", "tsconfig.types.json"].map(
    inPackage,
  ),
  ...["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "docs", "package-lock.json"],
];
const OUTPUTS = ["dist", "docs", "README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"].map(inPackage);
const STAMP = inPackage(".built");

function inPackage(name) {
  return join("pkg", name);
}

async function addTo(hash, root, path) {
  const entry = await stat(path).catch(() => undefined);
  if (entry?.isDirectory()) {
    for (const name of (await readdir(path)).sort()) await addTo(hash, root, join(path, name));
  } else {
    const content = entry ? await readFile(path) : "";
    hash.update(`${relative(root, path)}\0${content.length}\0`).update(content);
  }
}

async function digest(root, paths) {
  const hash = createHash("sha256");
  for (const path of paths) await addTo(hash, root, join(root, path));
  return hash.digest("hex");
}

const describe = async (root) =>
  `${process.version} ${await digest(root, SOURCES)} ${await digest(root, OUTPUTS)}\n`;

/** Whether nothing has changed since `markBuilt`. */
export const isUpToDate = async (root) =>
  (await readFile(join(root, STAMP), "utf8").catch(() => "")) === (await describe(root));

/** Notes that the package is built. */
export const markBuilt = async (root) => writeFile(join(root, STAMP), await describe(root));
