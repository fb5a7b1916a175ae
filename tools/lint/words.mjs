/**
 * Fails on words that the glossary replaces, and on sentences that begin with a stand-in for a noun: in the documents,
 * in comments, and in the texts that the server and the pages show. How many are left in each file is in
 * `allowed-words.json`. `--write` lowers its numbers to what is left; `--all` prints every word, those that are
 * allowed included.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compare } from "./allow-list.mjs";
import { checkedFiles, root } from "./files.mjs";
import { wrongIn } from "./glossary.mjs";
import { prose } from "./prose.mjs";

const ALLOWED = "allowed-words.json";

const found = {};
for (const file of checkedFiles()) {
  const words = wrongIn(prose(file, readFileSync(join(root, file), "utf8"))).map(
    ({ number, word, write }) => `${file}:${number}: "${word}": write ${write}`,
  );
  if (words.length > 0) found[file] = words;
}
const counts = Object.fromEntries(Object.entries(found).map(([file, words]) => [file, words.length]));

if (process.argv.includes("--all")) console.log(Object.values(found).flat().join("\n"));
compare(counts, ALLOWED, (file, limit) =>
  [...found[file], `${file}: ${counts[file]} words to replace, allowed ${limit}`].join("\n"),
);
