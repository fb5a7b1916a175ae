/** The files whose prose the word list applies to. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { canRead } from "./prose.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** These are searched to any depth. Of the root only the files belong to the list. */
const FOLDERS = [
  ".github",
  "crates",
  "deploy",
  "docs",
  "examples",
  "fuzz",
  "pkg/build",
  "pkg/src",
  "site",
  "tests",
  "tools",
  "www",
];
const NOT_OURS = new Set(["node_modules", "dist", "target", "corpus", "artifacts", "coverage"]);
/** They contain the words that are replaced. */
const OF_THE_LIST = /^(?:tools\/lint\/glossary\.mjs$|tests\/lint\/)/;

/** A hidden file is not the project's own: `.env` has the secrets of a machine. */
const isChecked = (name) => !name.startsWith(".") && canRead(name);

function filesIn(folder) {
  return readdirSync(`${root}/${folder}`, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory())
      return NOT_OURS.has(entry.name) || entry.name.startsWith(".") ? [] : filesIn(path);
    return entry.isFile() && isChecked(entry.name) ? [path] : [];
  });
}

/** Returns their paths from the root, sorted. */
export function checkedFiles() {
  const atRoot = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && isChecked(entry.name),
  );
  return [...atRoot.map(({ name }) => name), "pkg/build.mjs", ...FOLDERS.flatMap(filesIn)]
    .filter((file) => !OF_THE_LIST.test(file))
    .sort();
}
