/**
 * The table of error codes in docs/errors.md, generated from the package: `node tests/docs/errors-page.mjs --write` updates
 * it.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ERROR_CODES, SaltmineError } from "saltmine";
import { root } from "../support/paths.mjs";

const PAGE = join(root, "docs", "errors.md");
const MARKS = /(<!-- errors:begin -->\n)[\s\S]*?(<!-- errors:end -->)/;

/** The page as it is, and as it should be. */
export async function errorsPage() {
  const rows = ERROR_CODES.map((code) => {
    const { message, retryable } = new SaltmineError({ code });
    return `| \`${code}\` | ${retryable ? "yes" : "no"} | ${message} |`;
  });
  const table = ["| code | `retryable` | message |", "| --- | --- | --- |", ...rows].join("\n");
  const actual = await readFile(PAGE, "utf8");
  return { actual, expected: actual.replace(MARKS, `$1${table}\n$2`) };
}

if (process.argv.includes("--write")) await writeFile(PAGE, (await errorsPage()).expected);
