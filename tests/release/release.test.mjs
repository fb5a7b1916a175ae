/** `npm run release`: what it refuses, before anything is published. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../support/paths.mjs";
import { makeTree, version } from "./tree.mjs";

const OTHER = `${version.split(".")[0]}.998.0`;

/** The faults of a tree, and the messages about them. */
const REFUSALS = {
  "a file that is not committed": [(tree) => tree.write("news.txt", "x"), /dirty.*\n.*news\.txt/],
  "a CHANGELOG without the version": [
    async (tree) => {
      await tree.edit("CHANGELOG.md", ` ${version} - 2030-01-31`, " 0.0.1 - 2030-01-31");
      await tree.commit();
    },
    /CHANGELOG\.md has no section/,
  ],
  "a CHANGELOG that tells nothing of the version": [
    async (tree) => {
      await tree.edit("CHANGELOG.md", ` - 2030-01-31`, " - 2030-01-31\n\n## 0.0.1 - 2029-01-31");
      await tree.commit();
    },
    /CHANGELOG\.md has no section/,
  ],
  "crates of another version": [
    async (tree) => {
      await tree.edit("Cargo.toml", `version = "${version}"`, `version = "${OTHER}"`);
      await tree.commit();
    },
    new RegExp(`saltmine-server is ${OTHER} in Cargo\\.toml, pkg/package\\.json is ${version}`),
  ],
  "a build of another version": [
    async (tree) => {
      await tree.edit("pkg/dist/node.js", `"${version}"`, `"${OTHER}"`);
    },
    new RegExp(`pkg/dist is version ${OTHER}`),
  ],
  "a tag that is there": [(tree) => tree.git("tag", `v${version}`), /the tag v.* is there already/],
};

describe("a dry run refuses", () => {
  for (const [what, [spoil, sentence]] of Object.entries(REFUSALS)) {
    test(what, async (t) => {
      const tree = await makeTree(t);
      await spoil(tree);
      const { code, said } = await tree.release("--dry-run", "--skip-tests");
      assert.match(said, sentence);
      assert.equal(code, 1);
      assert.doesNotMatch(said, /Publishing|Uploading|could be published/);
    });
  }

  for (const failing of ["lint", "test", "test:matrix"]) {
    test(`a tree whose ${failing} fails`, async (t) => {
      const tree = await makeTree(t);
      const scripts = { lint: "exit 0", test: "exit 0", "test:matrix": "exit 0", [failing]: "exit 1" };
      await tree.write("package.json", JSON.stringify({ private: true, scripts }));
      await tree.commit();
      const { code, said } = await tree.release("--dry-run");
      assert.match(said, new RegExp(`\`npm run ${failing}\` failed`));
      assert.equal(code, 1);
      assert.doesNotMatch(said, /Publishing|Uploading|could be published/);
    });
  }
});

describe("publishing refuses", () => {
  test("to leave the tests out", async (t) => {
    const { code, said } = await (await makeTree(t)).release("--skip-tests");
    assert.match(said, /--skip-tests goes with --dry-run only/);
    assert.equal(code, 1);
  });

  test("to run where there can be no provenance", async (t) => {
    const { code, said } = await (await makeTree(t)).release();
    assert.match(said, /provenance needs the identity of a CI/);
    assert.equal(code, 1);
  });
});

describe("the crates", () => {
  const cargo = (...args) =>
    execFileSync("cargo", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const { packages } = JSON.parse(cargo("metadata", "--no-deps", "--format-version", "1"));
  const published = packages.filter(({ publish }) => publish === null);

  test("that are published are the three that others can use, and say what crates.io shows", async () => {
    assert.deepEqual(published.map(({ name }) => name).sort(), [
      "saltmine-protocol",
      "saltmine-server",
      "saltmine-solver",
    ]);
    const { repository, license } = JSON.parse(await readFile(join(root, "pkg", "package.json"), "utf8"));
    for (const crate of published) {
      for (const member of ["description", "documentation", "readme", "rust_version"])
        assert.ok(crate[member], `${crate.name}: ${member}`);
      assert.ok(crate.keywords.length > 0 && crate.keywords.length <= 5, crate.name);
      assert.ok(crate.categories.length > 0 && crate.categories.length <= 5, crate.name);
      assert.deepEqual([crate.license, crate.repository ?? undefined], [license, repository?.url]);
    }
  });

  for (const { name } of published) {
    test(`${name} carries its sources, its licences and no tests`, () => {
      const files = cargo("package", "--list", "--allow-dirty", "--package", name).trim().split("\n");
      const folders = [...new Set(files.map((file) => file.split("/")[0]))].filter(
        (file) => !/^\.cargo_vcs_info/.test(file),
      );
      assert.deepEqual(folders.sort(), [
        ...["Cargo.lock", "Cargo.toml", "Cargo.toml.orig", "LICENSE-APACHE", "LICENSE-MIT", "README.md"],
        ...(name === "saltmine-server" ? ["migrations"] : []),
        "src",
      ]);
    });
  }
});
