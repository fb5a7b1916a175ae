/**
 * The paths of the browsers on this machine. The npm commands install what is missing and pass the paths in environment
 * variables (crates/xtask/src/tools); a test file that is run by itself finds what is on the `PATH`.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The error for a browser that is not on this machine, or does not start. */
export class MissingBrowser extends Error {}

const CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** The path of a program: the value of the variable, or the first of the names that is on the `PATH`. */
export function find(variable, names, debianPackages) {
  if (process.env[variable]) return process.env[variable];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (found) return found;
  throw new MissingBrowser(
    `${names[0]} is missing: install it (Debian: apt-get install ${debianPackages}), or set ${variable}.`,
  );
}

/** The path of Chromium. */
export const chromiumPath = () => find("SALTMINE_CHROMIUM", CHROMIUMS, "chromium");
