/**
 * Fails on words that the glossary replaces, in the documents and in public doc comments. How many are left in each file
 * is in `allowed-words.json`. `--write` lowers its numbers to what is left; `--all` prints every word, those that are
 * allowed included.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compare } from "./allow-list.mjs";
import { wrongWords } from "./glossary.mjs";
import { prose } from "./prose.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ALLOWED = "allowed-words.json";

/** Files by folder and extension; the folders are searched to any depth. */
const SOURCES = [
  ["docs", ".md"],
  ["examples", ".md"],
  ["pkg/src", ".ts"],
  ...["protocol", "solver", "client", "server"].map((crate) => [`crates/${crate}`, ".md"]),
  ...["protocol", "solver", "client", "server"].map((crate) => [`crates/${crate}/src`, ".rs"]),
];
const files = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "fuzz/README.md"].concat(
  SOURCES.flatMap(([folder, extension]) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith(extension) && !name.includes("node_modules"))
      .map((name) => join(folder, name).replaceAll("\\", "/")),
  ),
);

const found = {};
for (const file of files.sort()) {
  const words = prose(file, readFileSync(join(root, file), "utf8")).flatMap(({ number, text }) =>
    wrongWords(text).map(({ word, write }) => `${file}:${number}: "${word}": write ${write}`),
  );
  if (words.length > 0) found[file] = words;
}
const counts = Object.fromEntries(Object.entries(found).map(([file, words]) => [file, words.length]));

if (process.argv.includes("--all")) console.log(Object.values(found).flat().join("\n"));
compare(counts, ALLOWED, (file, limit) =>
  [...found[file], `${file}: ${counts[file]} words to replace, allowed ${limit}`].join("\n"),
);
