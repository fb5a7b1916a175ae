// The start of every npm command: makes sure that Node, Rust and the npm packages are there, then runs
// `cargo run -p xtask`. Needs nothing but Node itself.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [task, ...taskArguments] = process.argv.slice(2);
const isWindows = process.platform === "win32";

/** The steps of this file, which come before those of the task. */
const STEPS = [
  ["checking Node and Rust", checkTools],
  ["installing the npm packages", installPackages],
  ["compiling the build tool", () => compiling],
];
/** The compilation of the build tool, which begins while npm installs. */
let compiling;
/** How many steps each task of xtask has; a test of xtask compares. Other tasks print no steps. */
const STEPS_OF_TASK = JSON.parse(readFileSync(new URL("steps.json", import.meta.url), "utf8"));

/** Prints one sentence and exits. */
function giveUp(sentence) {
  console.error(`saltmine: ${sentence}`);
  process.exit(1);
}

function checkTools() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    giveUp(`Node ${process.versions.node} is too old: install Node 20.19 or later.`);
  }
  // rustup's folder is not on the PATH of every shell that was open when it was installed.
  process.env.PATH += delimiter + join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin");
  // rustup installs the toolchain of rust-toolchain.toml on the first call, and prints that on standard error.
  const { status, error } = spawnSync("cargo", ["--version"], { cwd: root, stdio: ["ignore", "ignore", 2] });
  if (error) giveUp("cargo was not found: install Rust with rustup (https://rustup.rs).");
  if (status !== 0) giveUp("cargo does not run: see its message above.");
  if (!isWindows && spawnSync("cc", ["--version"]).status !== 0) {
    giveUp(
      "there is no C compiler, which Rust links with: install one (Debian: apt-get install gcc libc6-dev).",
    );
  }
}

/** The packages of the workspace, and those of the linters for the tasks that run them. */
function installPackages() {
  compiling = compileBuildTool();
  install("", "npm-ci");
  if (["lint", "format", "test"].includes(task)) install("tools/lint", "npm-ci-lint");
}

/** Resolves when the build tool is compiled. */
function compileBuildTool() {
  const cargo = spawn("cargo", ["build", "--quiet", "--package", "xtask"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  return new Promise((resolve) => {
    cargo.on("exit", (code) => {
      if (code !== 0) giveUp("the build tool did not compile: see cargo's message above.");
      resolve();
    });
  });
}

/** Runs `npm ci` in a folder, when its lock file is not the one that was installed. */
function install(folder, stampName) {
  const stamp = join(root, ".cache", stampName);
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, folder, "package-lock.json")))
    .digest("hex");
  const installed =
    existsSync(join(root, folder, "node_modules")) && existsSync(stamp) && readFileSync(stamp, "utf8");
  if (installed === wanted) return;
  // npm's own messages go to standard error: standard output belongs to the task.
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: join(root, folder),
    stdio: ["ignore", 2, 2],
    shell: isWindows,
  });
  if (error || status !== 0) giveUp("the npm packages could not be installed: see npm's message above.");
  mkdirSync(join(root, ".cache"), { recursive: true });
  writeFileSync(stamp, wanted);
}

const stepsOfTask = STEPS_OF_TASK[task];
for (const [index, [label, run]] of STEPS.entries()) {
  if (stepsOfTask) console.error(`[${index + 1}/${STEPS.length + stepsOfTask}] ${label} …`);
  await run();
}

const child = spawn(
  "cargo",
  ["run", "--quiet", "--package", "xtask", "--", task ?? "help", ...taskArguments],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, XTASK_STEPS_BEFORE: String(STEPS.length) },
  },
);
// Ctrl-C in a terminal reaches the task by itself; other signals are passed on. This process exits as the task does.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
