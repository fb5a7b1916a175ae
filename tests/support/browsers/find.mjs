/** Where a machine has its browsers. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A browser that this machine does not have, or cannot start. */
export class MissingBrowser extends Error {}

/** A program's path: what the variable says, or the first of the names that is on the `PATH`. */
export function find(variable, names, debianPackages) {
  if (process.env[variable]) return process.env[variable];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (found) return found;
  throw new MissingBrowser(
    `${names[0]} is not installed (Debian: apt-get install ${debianPackages}), nor does ${variable} name it`,
  );
}
