/** The paths of the work tree and of the server that it builds. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the work tree. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The reference server's binary: `SALTMINE_SERVER`, or what Cargo built last. */
export function serverPath() {
  if (process.env.SALTMINE_SERVER) return process.env.SALTMINE_SERVER;
  const built = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug", "saltmine-server");
  if (!existsSync(built)) {
    throw new Error(`${built} is missing: run cargo build -p saltmine-server, or set SALTMINE_SERVER.`);
  }
  return built;
}
