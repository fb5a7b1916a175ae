// The door of every npm command: makes sure that Node, Cargo and the npm packages are there, then hands over to
// `cargo run -p xtask`. Needs nothing but Node itself.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function giveUp(sentence) {
  console.error(`saltmine: ${sentence}`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    giveUp(`Node ${process.versions.node} is too old: install Node 20.19 or later.`);
  }
}

function findCargo() {
  // rustup's folder is not on the PATH of every shell that was open when it was installed.
  process.env.PATH += delimiter + join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin");
  const { status, error, stderr } = spawnSync("cargo", ["--version"], { cwd: root, encoding: "utf8" });
  if (error) giveUp("cargo was not found: install Rust with rustup (https://rustup.rs).");
  if (status !== 0) giveUp(`cargo does not run: ${stderr.trim()}`);
}

/** `npm ci`, when the lock file is not the one that was installed. */
function installPackages() {
  const stamp = join(root, ".cache", "npm-ci");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const installed =
    existsSync(join(root, "node_modules")) && existsSync(stamp) && readFileSync(stamp, "utf8");
  if (installed === wanted) return;
  // npm's own words go to standard error: standard output belongs to the task.
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (error || status !== 0) giveUp("the npm packages could not be installed: see npm's message above.");
  mkdirSync(join(root, ".cache"), { recursive: true });
  writeFileSync(stamp, wanted);
}

checkNode();
findCargo();
installPackages();

const task = spawn("cargo", ["run", "--quiet", "--package", "xtask", "--", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
// A terminal's Ctrl-C reaches the task by itself; other signals are handed on. Then its end is ours.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => task.kill(signal));
task.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
