/** Writes the page with the hashes of the package's files, from pkg/dist/integrity.json. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const SOURCE = "pkg/dist/integrity.json";
const root = fileURLToPath(new URL("..", import.meta.url));

/** The entry of the page in the menu. */
export const INTEGRITY = { source: SOURCE, file: "integrity.html", label: "Integrity" };

export async function readIntegrity() {
  const { version, files } = JSON.parse(await readFile(root + SOURCE, "utf8"));
  const rows = Object.entries(files)
    // Browsers do not load declarations.
    .filter(([file]) => !file.endsWith(".d.ts"))
    .map(([file, hash]) => `| \`${file}\` | \`${hash}\` |`);
  return `# Integrity

The SHA-384 hashes of the files in \`dist/\` of saltmine ${version}, from \`dist/integrity.json\`, which also has those of the
declarations. Use a hash in an \`integrity\` attribute, in an import map, or in single quotes as a source of \`script-src\`: see
[integrity](../../docs/bundlers.md#integrity).

| file | SHA-384 |
| --- | --- |
${rows.join("\n")}
`;
}
