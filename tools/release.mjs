/**
 * `npm run release`: publishes the npm package and the crates of a tree that is committed, tested, and told of in the
 * CHANGELOG, and tags it. `-- --dry-run` does all but that; with it, `--skip-tests` leaves the linters and tests out.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values: asked } = parseArgs({
  options: { "dry-run": { type: "boolean" }, "skip-tests": { type: "boolean" } },
});
const dryRun = asked["dry-run"] === true;

class Refusal extends Error {}

function run(program, args, { folder = ".", capture = false } = {}) {
  const { status, error, stdout } = spawnSync(program, args, {
    cwd: join(root, folder),
    // Cargo builds each crate only to see that it builds: debug information doubles the time.
    env: { CARGO_PROFILE_DEV_DEBUG: "false", ...process.env },
    stdio: ["ignore", capture ? "pipe" : 2, "inherit"],
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    shell: program === "npm" && process.platform === "win32",
  });
  if (error || status !== 0) throw new Refusal(`\`${program} ${args.join(" ")}\` failed: see above.`);
  return stdout;
}

const read = (path) => readFileSync(join(root, path), "utf8");
const manifest = JSON.parse(read("pkg/package.json"));
const { version } = manifest;
const tag = `v${version}`;

/** Returns the faults of the release, one sentence each. */
function findFaults() {
  const faults = [];
  const changed = run("git", ["status", "--porcelain"], { capture: true });
  if (changed) faults.push(`the tree is dirty: commit or remove these.\n${changed.trimEnd()}`);
  if (run("git", ["tag", "--list", tag], { capture: true }).trim())
    faults.push(`the tag ${tag} is there already: raise the version.`);

  const heading = new RegExp(`^## \\[?${version.replaceAll(".", "\\.")}\\]? - \\d{4}-\\d\\d-\\d\\d$`, "m");
  const [, section = ""] = read("CHANGELOG.md").split(heading);
  if (!/^- /m.test(section.split(/^## /m)[0]))
    faults.push(`CHANGELOG.md has no section "## ${version} - YYYY-MM-DD" that tells a change.`);

  const metadata = run("cargo", ["metadata", "--no-deps", "--format-version", "1"], { capture: true });
  for (const crate of JSON.parse(metadata).packages)
    if (crate.version !== version)
      faults.push(`${crate.name} is ${crate.version} in Cargo.toml, pkg/package.json is ${version}.`);
  return faults;
}

/**
 * Returns the obstacles to publishing: npm's provenance is made by the CI that builds, of a repository that the package
 * names.
 */
function findObstacles() {
  const obstacles = [];
  if (!manifest.repository)
    obstacles.push("pkg/package.json names no repository, which provenance is checked against.");
  if (!process.env.ACTIONS_ID_TOKEN_REQUEST_URL && !process.env.SIGSTORE_ID_TOKEN)
    obstacles.push("provenance needs the identity of a CI: run the workflow release.yml.");
  return obstacles;
}

async function checkBuild() {
  const { VERSION } = await import(pathToFileURL(join(root, "pkg", "dist", "node.js")));
  if (VERSION !== version) throw new Refusal(`pkg/dist is version ${VERSION}: run npm run build.`);
}

const publishPackage = (...more) =>
  run("npm", ["publish", "--provenance", "--access", "public", ...more], { folder: "pkg" });
/** In the order of their dependencies, each built as its users get it. */
const publishCrates = (...more) => run("cargo", ["publish", "--workspace", "--locked", ...more]);

async function release() {
  if (asked["skip-tests"] && !dryRun) throw new Refusal("--skip-tests goes with --dry-run only.");
  const obstacles = findObstacles();
  const faults = [...findFaults(), ...(dryRun ? [] : obstacles)];
  if (faults.length > 0) throw new Refusal(faults.join("\nsaltmine: "));

  if (!asked["skip-tests"]) for (const task of ["lint", "test", "test:matrix"]) run("npm", ["run", task]);
  await checkBuild();
  publishPackage("--dry-run");
  publishCrates("--dry-run");
  if (dryRun) {
    for (const obstacle of obstacles) console.error(`saltmine: before it can be published: ${obstacle}`);
    return console.log(`${tag} could be published.`);
  }

  publishPackage();
  try {
    publishCrates("--no-verify");
    run("git", ["tag", tag]);
  } catch ({ message }) {
    const rest = `cargo publish --workspace --locked && git tag ${tag}`;
    throw new Refusal(`${message} npm has ${version} already; what is left is \`${rest}\`.`);
  }
  console.log(`${tag} is published. Push its tag: git push origin ${tag}`);
}

try {
  await release();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(`saltmine: ${error.message}`);
  process.exitCode = 1;
}
