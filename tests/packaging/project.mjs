/** A project of this folder: copied into a temporary one, with the packed package installed, built, and opened. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../support/paths.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const shell = process.platform === "win32";

/** npm's cache is the work tree's, so that the next run needs nothing from the registry that this one had. */
const ENV = {
  ...process.env,
  npm_config_cache: join(root, ".cache", "npm"),
  npm_config_fetch_retries: "6",
  NEXT_TELEMETRY_DISABLED: "1",
};

/** The project in a folder of its own, with what its lock file names; it is gone after the test. */
export async function installProject(t, name, tarball, projects = here) {
  const folder = await mkdtemp(join(tmpdir(), `saltmine-${name}-`));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(join(projects, name), folder, { recursive: true });
  await runIn(folder, "npm", [
    "install",
    tarball,
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--loglevel=error",
  ]);
  return folder;
}

/** Copies a folder of this one, by default the page that has a client, or what a project does not have of it. */
export const copyApp = (folder, name = "app") =>
  cp(join(here, name), folder, { recursive: true, force: false });

/** Runs a program in a folder; resolves to what it prints, and fails with that. */
export function runIn(folder, program, args, env = {}) {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { cwd: folder, shell, env: { ...ENV, ...env }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${program} ${args.join(" ")}: ${error.message}\n${stdout}\n${stderr}`));
        else resolve(stdout + stderr);
      },
    );
  });
}

/** Runs a program until the test ends; resolves to the match of `ready` in what it prints. */
export async function startIn(t, folder, program, args, ready, env = {}) {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...ENV, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  t.after(() => {
    child.kill();
    return ended;
  });
  let said = "";
  return new Promise((resolve, reject) => {
    const listen = (data) => {
      said += data;
      const match = ready.exec(said);
      if (match) resolve(match);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    ended.then(([code]) => reject(new Error(`${program} ended with ${code}: ${said}`)), reject);
  });
}

/** The page of a project, of the build where that makes one. */
export async function pageOf(folder) {
  const built = join(folder, "dist", "index.html");
  return readFile(existsSync(built) ? built : join(folder, "index.html"), "utf8");
}
