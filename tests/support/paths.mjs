/** Where things are: the work tree, and the programs that the npm commands pass by environment variables. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the work tree. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** The browser: `SALTMINE_CHROMIUM`, or what the system has. */
export function chromiumPath() {
  if (process.env.SALTMINE_CHROMIUM) return process.env.SALTMINE_CHROMIUM;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = CHROMIUMS.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (!found) throw new Error("No Chromium found: install one, or set SALTMINE_CHROMIUM to its path.");
  return found;
}

/** The reference server's binary: `SALTMINE_SERVER`, or what Cargo built last. */
export function serverPath() {
  if (process.env.SALTMINE_SERVER) return process.env.SALTMINE_SERVER;
  const built = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug", "saltmine-server");
  if (!existsSync(built)) {
    throw new Error(`${built} is missing: run cargo build -p saltmine-server, or set SALTMINE_SERVER.`);
  }
  return built;
}
