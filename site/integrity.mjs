/** The hashes of the package's files, as Markdown: what pkg/dist/integrity.json says of the build that is there. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const SOURCE = "pkg/dist/integrity.json";
const root = fileURLToPath(new URL("..", import.meta.url));

/** Its place among the pages. */
export const INTEGRITY = { source: SOURCE, file: "integrity.html", label: "Integrity" };

export async function readIntegrity() {
  const { version, files } = JSON.parse(await readFile(root + SOURCE, "utf8"));
  const rows = Object.entries(files)
    // Browsers load no declarations.
    .filter(([file]) => !file.endsWith(".d.ts"))
    .map(([file, hash]) => `| \`${file}\` | \`${hash}\` |`);
  return `# Integrity

The SHA-384 of the files in \`dist/\` of saltmine ${version}, from its \`dist/integrity.json\`, which has those of the
declarations too. Each is the value of an \`integrity\` attribute and of an import map, and, in single quotes, a source of
\`script-src\`: see [how to use them](../../docs/bundlers.md#integrity).

| file | SHA-384 |
| --- | --- |
${rows.join("\n")}
`;
}
