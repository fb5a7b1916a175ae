/**
 * Lists of what a check still allows: JSON objects with a count for each file. They may only shrink: a count that is
 * higher than what is left is an error too, and `npm run format` lowers it.
 */
import { readFileSync, writeFileSync } from "node:fs";

const urlOf = (name) => new URL(name, import.meta.url);

/** Reads the list of that name, which is beside this module. */
export const readAllowed = (name) => JSON.parse(readFileSync(urlOf(name), "utf8"));

/**
 * Compares the counts that a check found, by file, with the list of that name, and prints a sentence for each
 * difference. With `--write` it lowers the list's counts first; it never raises one. `describe(file, limit)` says what is
 * wrong in a file that has more than the list allows.
 */
export function compare(found, name, describe) {
  if (process.argv.includes("--write")) lower(found, name);
  const allowed = readAllowed(name);
  for (const file of [...new Set([...Object.keys(found), ...Object.keys(allowed)])].sort()) {
    const [now, limit] = [found[file] ?? 0, allowed[file] ?? 0];
    if (now === limit) continue;
    console.error(
      now > limit
        ? describe(file, limit)
        : `${file}: tools/lint/${name} allows ${limit}, found ${now}: npm run format lowers the number.`,
    );
    process.exitCode = 1;
  }
}

function lower(found, name) {
  const lowered = Object.entries(readAllowed(name))
    .map(([file, limit]) => [file, Math.min(limit, found[file] ?? 0)])
    .filter(([, limit]) => limit > 0);
  writeFileSync(urlOf(name), `${JSON.stringify(Object.fromEntries(lowered), undefined, 2)}\n`);
}
