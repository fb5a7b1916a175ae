/**
 * A tree to release: the published files of this one, with a version that was never released, committed to a Git
 * repository of its own, with an entry in its CHANGELOG.
 */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../support/paths.mjs";

const PARTS = [
  ...["CHANGELOG.md", "Cargo.lock", "Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "clippy.toml"],
  ...["crates", "package.json", "pkg", "tools/release.mjs"],
];

const { version: current } = JSON.parse(await readFile(join(root, "pkg", "package.json"), "utf8"));
/** npm does not even pretend to publish what is there already. */
export const version = `${current.split(".")[0]}.999.0`;

/** The tree, gone after the test. */
export async function makeTree(t) {
  const folder = await mkdtemp(join(tmpdir(), "saltmine-release-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const part of PARTS)
    await cp(join(root, part), join(folder, part), { recursive: true, verbatimSymlinks: true });

  const tree = {
    /** Replaces a part of a file. */
    async edit(path, from, to) {
      const text = await readFile(join(folder, path), "utf8");
      const edited = text.replace(from, to);
      if (edited === text) throw new Error(`${path} has no ${from}`);
      await writeFile(join(folder, path), edited);
    },
    write: (path, text) => writeFile(join(folder, path), text),
    git: (...args) => run("git", ["-c", "user.name=saltmine", "-c", "user.email=@", ...args]),
    async commit() {
      await tree.git("add", "--all");
      await tree.git("commit", "--quiet", "--message", "As it is");
    },
    release: (...args) => run(process.execPath, ["tools/release.mjs", ...args]),
  };

  /** Resolves to `{ code, said }`. */
  const run = (program, args) =>
    new Promise((resolve) => {
      const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
      const noCi = { ACTIONS_ID_TOKEN_REQUEST_URL: "", SIGSTORE_ID_TOKEN: "" };
      const env = { ...process.env, CARGO_TARGET_DIR: target, ...noCi };
      execFile(program, args, { cwd: folder, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? 1) : 0, said: stdout + stderr }),
      );
    });

  const is = `version = "${current}"`;
  await tree.edit("Cargo.toml", new RegExp(`(^|^saltmine-.*)${is}`, "gm"), `$1version = "${version}"`);
  await tree.edit(
    "Cargo.lock",
    new RegExp(`(name = "(?:saltmine-\\w+|xtask)"\n)${is}`, "g"),
    `$1version = "${version}"`,
  );
  for (const file of ["pkg/package.json", "pkg/dist/node.js"])
    await tree.edit(file, `"${current}"`, `"${version}"`);
  await tree.edit("CHANGELOG.md", /^## Unreleased$/m, `## Unreleased\n\n## ${version} - 2030-01-31`);
  // Built files are not committed.
  await tree.write(".gitignore", "/pkg/dist/\n/pkg/wasm/\n");
  await tree.git("init", "--quiet");
  await tree.commit();
  return tree;
}
