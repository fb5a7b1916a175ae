/** The npm package as users get it: packed, then installed into an empty folder. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { root } from "./paths.mjs";

const run = promisify(execFile);
const shell = process.platform === "win32";
const QUIET = ["--silent", "--no-audit", "--no-fund", "--no-update-notifier"];

/**
 * Packs and installs, `source` in place of the work tree's package if given. `folder` is the project it was installed into, `dist` the package's own files, `entryPoints` the
 * URLs of its two entries, read from `exports` as resolvers do. `remove()` deletes the project.
 */
export async function installTarball(source = join(root, "pkg")) {
  const folder = await mkdtemp(join(tmpdir(), "saltmine-package-"));
  const { stdout } = await run("npm", ["pack", source, "--pack-destination", folder, ...QUIET], {
    shell,
  });
  const tarball = join(folder, stdout.trim().split("\n").at(-1));
  await writeFile(join(folder, "package.json"), '{ "name": "empty", "private": true, "type": "module" }\n');
  await run("npm", ["install", tarball, "--offline", ...QUIET], { cwd: folder, shell });
  const installed = join(folder, "node_modules", "saltmine");
  const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  const entryPoint = manifest.exports["."];
  return {
    folder,
    tarball,
    installed,
    manifest,
    dist: join(installed, "dist"),
    entryPoints: {
      node: pathToFileURL(join(installed, entryPoint.node)).href,
      web: `/saltmine/${entryPoint.default.split("/").at(-1)}`,
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The same of a package that differs in nothing but its version: built from a copy of the sources. */
export async function installVersion(version) {
  const copy = await mkdtemp(join(tmpdir(), "saltmine-version-"));
  try {
    for (const name of ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "docs"])
      await cp(join(root, name), join(copy, name), { recursive: true });
    await symlink(join(root, "node_modules"), join(copy, "node_modules"), "junction");
    const source = join(copy, "pkg");
    await mkdir(source);
    for (const name of [
      "src",
      "wasm",
      "build",
      "build.mjs",
      "package.json",
      "tsconfig.json",
      "tsconfig.types.json",
    ])
      await cp(join(root, "pkg", name), join(source, name), { recursive: true });
    const manifest = JSON.parse(await readFile(join(source, "package.json"), "utf8"));
    await writeFile(join(source, "package.json"), JSON.stringify({ ...manifest, version }));
    await run(process.execPath, [join(source, "build.mjs")]);
    return await installTarball(source);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
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
