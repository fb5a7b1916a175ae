/**
 * The README's table of error codes, made of the package's own: `node tests/docs/readme-errors.mjs --write` puts it
 * there.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ERROR_CODES, SaltmineError } from "saltmine";
import { root } from "../support/paths.mjs";

export const README = join(root, "README.md");
const MARKS = /(<!-- errors:begin -->\n)[\s\S]*?(<!-- errors:end -->)/;

/** The README with its table as it should be. */
export async function readmeWithErrors() {
  const rows = ERROR_CODES.map((code) => {
    const { message, retryable } = new SaltmineError({ code });
    return `| \`${code}\` | ${retryable ? "yes" : ""} | ${message} |`;
  });
  const table = ["| code | retry | |", "| --- | --- | --- |", ...rows].join("\n");
  return (await readFile(README, "utf8")).replace(MARKS, `$1${table}\n$2`);
}

if (process.argv.includes("--write")) await writeFile(README, await readmeWithErrors());
