/** The npm package as users get it: packed, then installed into an empty folder. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { root } from "./paths.mjs";

const run = promisify(execFile);
const shell = process.platform === "win32";
const QUIET = ["--silent", "--no-audit", "--no-fund", "--no-update-notifier"];

/**
 * Packs and installs. `folder` is the project it was installed into, `dist` the package's own files, `doors` the
 * URLs of its two entries, read from `exports` as resolvers do. `remove()` deletes the project.
 */
export async function installTarball() {
  const folder = await mkdtemp(join(tmpdir(), "saltmine-package-"));
  const { stdout } = await run("npm", ["pack", join(root, "pkg"), "--pack-destination", folder, ...QUIET], {
    shell,
  });
  const tarball = join(folder, stdout.trim().split("\n").at(-1));
  await writeFile(join(folder, "package.json"), '{ "name": "empty", "private": true, "type": "module" }\n');
  await run("npm", ["install", tarball, "--offline", ...QUIET], { cwd: folder, shell });
  const installed = join(folder, "node_modules", "saltmine");
  const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  const door = manifest.exports["."];
  return {
    folder,
    tarball,
    installed,
    manifest,
    dist: join(installed, "dist"),
    doors: {
      node: pathToFileURL(join(installed, door.node)).href,
      web: `/saltmine/${door.default.split("/").at(-1)}`,
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

let scripts = 0;

/** Runs Node in the installed project, on the text of a module; resolves to `{ code, stdout, stderr, ms }`. */
export async function runNode(folder, source, flags = []) {
  // A file, since Node ends a module given by --eval without waiting for what still runs.
  const script = join(folder, `script-${++scripts}.mjs`);
  await writeFile(script, source);
  const began = performance.now();
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...flags, script],
      { cwd: folder, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: error ? (error.code ?? 1) : 0, stdout, stderr, ms: performance.now() - began });
      },
    );
  });
}
