/**
 * The linters of `npm run lint` that check promises, library functions and import cycles: with the configuration as it is, on a copy of what
 * it names, they report what is wrong in it and nothing else.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, describe, test } from "node:test";
import { root } from "../support/paths.mjs";

const ESLINT = join(root, "tools/lint/node_modules/eslint/bin/eslint.js");
const PROJECTS = ["pkg", "www", "site"];

const folders = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** A folder like the repository, with the linters, the files of `copied`, and `files` (path to text). */
async function makeCopy(copied, files) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "saltmine-lint-")));
  folders.push(folder);
  const isInstalled = (path) => /node_modules|[/\\]dist$/.test(relative(root, path));
  for (const name of ["tools/lint", ...copied])
    await cp(join(root, name), join(folder, name), {
      recursive: true,
      filter: (path) => !isInstalled(path),
    });
  for (const name of ["node_modules", "tools/lint/node_modules"])
    await symlink(join(root, name), join(folder, name), "junction");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** Runs a linter in a folder; resolves to `{ code, stdout, stderr }`. */
const lint = (folder, ...args) =>
  new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });

/** What ESLint reports: `file: rule`, as `npm run lint` calls it. */
async function report(files) {
  const copied = ["pkg/package.json", ...PROJECTS.map((project) => `${project}/tsconfig.json`)];
  const folder = await makeCopy(copied, files);
  const config = ["--config", "tools/lint/eslint.config.js", "--max-warnings=0", "--format=json"];
  const { code, stdout, stderr } = await lint(folder, ESLINT, ...config, ...PROJECTS);
  assert.equal(stderr, "");
  const results = JSON.parse(stdout);
  return {
    code,
    checked: results.map(({ filePath }) => relative(folder, filePath).replaceAll("\\", "/")).sort(),
    faults: results
      .flatMap(({ filePath, messages }) =>
        messages.map(({ ruleId }) => `${relative(folder, filePath).replaceAll("\\", "/")}: ${ruleId}`),
      )
      .sort(),
  };
}

describe("promises", () => {
  const NOTHING_AWAITS = `export async function load(): Promise<void> {}\nload();\n`;
  const FAULTS = {
    "floating.ts": [NOTHING_AWAITS, "no-floating-promises"],
    "misused-condition.ts": [
      `declare const load: () => Promise<boolean>;\nif (load()) throw new Error("always");\nexport {};\n`,
      "no-misused-promises",
    ],
    "misused-listener.ts": [
      `declare const on: (listener: () => void) => void;\non(async () => {});\nexport {};\n`,
      "no-misused-promises",
    ],
  };
  const CLEAN = `
    async function load(): Promise<boolean> {
      return true;
    }
    export async function use(): Promise<void> {
      if (await load()) load().catch(() => {});
      void load();
      await Promise.all([load()]);
    }
  `;
  const SCRIPTS = ["pkg/floating.mjs", "pkg/build/floating.mjs", "www/floating.mjs", "site/floating.mjs"];

  const clean = Object.fromEntries([
    ...PROJECTS.map((project) => [`${project}/src/clean.ts`, CLEAN]),
    ...SCRIPTS.map((path) => [path.replace("floating", "clean"), "await Promise.resolve();\n"]),
  ]);

  test("that are awaited, caught or marked with `void` pass in every folder", async () => {
    assert.deepEqual(await report(clean), { code: 0, checked: Object.keys(clean).sort(), faults: [] });
  });

  test("that float or are misused are reported in every folder", async () => {
    const rules = Object.fromEntries([
      ...PROJECTS.flatMap((project) =>
        Object.entries(FAULTS).map(([name, [, rule]]) => [`${project}/src/${name}`, rule]),
      ),
      ...SCRIPTS.map((path) => [path, "no-floating-promises"]),
    ]);
    const faulty = Object.fromEntries([
      ...PROJECTS.flatMap((project) =>
        Object.entries(FAULTS).map(([name, [text]]) => [`${project}/src/${name}`, text]),
      ),
      ...SCRIPTS.map((path) => [path, "Promise.resolve();\n"]),
    ]);
    const { code, faults } = await report({ ...clean, ...faulty });
    assert.deepEqual(
      faults,
      Object.entries(rules)
        .map(([path, rule]) => `${path}: @typescript-eslint/${rule}`)
        .sort(),
    );
    assert.equal(code, 1);
  });
});

test("library functions that the oldest supported browsers do not have are reported in the package", async () => {
  const calls = [
    "Object.hasOwn({}, name)",
    "globalThis.Object.hasOwn({}, name)",
    "list.at(-1)",
    "name.at(-1)",
    "list?.at(-1)",
    "list.findLast(Boolean)",
    "list.toSorted()",
    "structuredClone(list)",
    "AbortSignal.timeout(1)",
    "AbortSignal.any([])",
    "crypto.randomUUID()",
    "globalThis.crypto.randomUUID()",
    "signal.throwIfAborted()",
  ];
  const allowed = ["AbortSignal.any?.([signal])", "list.map(Boolean)", 'name.replaceAll("a", "b")'];
  const text = (call) =>
    `declare const list: string[], name: string, signal: AbortSignal;\nvoid [list, name, signal, ${call}];\nexport {};\n`;
  const { code, faults } = await report({
    "pkg/src/allowed.ts": text(allowed.join(", ")),
    "www/src/allowed.ts": text(calls.join(", ")),
    "site/src/allowed.ts": text(calls.join(", ")),
    // tools/lint/tsconfig.json needs a script.
    "pkg/allowed.mjs": "",
    ...Object.fromEntries(calls.map((call, index) => [`pkg/src/newer-${index}.ts`, text(call)])),
  });
  assert.deepEqual(faults, calls.map((_, index) => `pkg/src/newer-${index}.ts: no-restricted-syntax`).sort());
  assert.equal(code, 1);
});

describe("import cycles", () => {
  const SOURCES = PROJECTS.flatMap((project) => [
    `${project}/package.json`,
    `${project}/tsconfig.json`,
    `${project}/src`,
  ]);
  const check = async (files) => lint(await makeCopy(SOURCES, files), "tools/lint/cycles.mjs");

  test("the sources, and a file that imports without a cycle, pass", async () => {
    const { code, stderr } = await check({
      "pkg/src/common/one.ts": `export { two } from "./two";\n`,
      "pkg/src/common/two.ts": `export const two = 2;\n`,
    });
    assert.deepEqual([code, stderr], [0, ""]);
  });

  test("every kind of cycle is reported, with its files", async () => {
    const manifest = JSON.parse(await readFile(join(root, "pkg/package.json"), "utf8"));
    manifest.imports["#fixture"] = "./src/alias/one.ts";
    const one = `export { two } from "./two";\nexport const one = 1;\n`;
    const files = {
      "pkg/src/static/one.ts": one,
      "pkg/src/static/two.ts": `import { one } from "./one";\nexport const two = one;\n`,
      "www/src/types/one.ts": one,
      "www/src/types/two.ts": `import type { one } from "./one";\nexport const two: typeof one = 1;\n`,
      "site/src/dynamic/one.ts": one,
      "site/src/dynamic/two.ts": `export const two = () => import("./one");\n`,
      "pkg/src/three/one.ts": one,
      "pkg/src/three/two.ts": `export { three as two } from "./three";\n`,
      "pkg/src/three/three.ts": `import "./one";\nexport const three = 3;\n`,
      "pkg/src/alias/one.ts": one,
      "pkg/src/alias/two.ts": `import { one } from "#fixture";\nexport const two = one;\n`,
    };
    const { code, stderr } = await check({ ...files, "pkg/package.json": JSON.stringify(manifest) });
    assert.equal(code, 1);
    const reported = stderr.match(/^\S+(?=: in an import cycle$)/gm);
    assert.deepEqual(reported, Object.keys(files).sort(), stderr);
    for (const folder of ["static", "types", "dynamic", "three", "alias"])
      assert.match(stderr, new RegExp(`^import cycle: .*/${folder}/.* → `, "m"));
  });

  const CONDITIONS = ["node", "saltmine-script", "saltmine-inline", "saltmine-inline-worker"];
  /** The package's manifest with further `imports`. */
  const manifestWith = async (imports) => {
    const manifest = JSON.parse(await readFile(join(root, "pkg/package.json"), "utf8"));
    return {
      "pkg/package.json": JSON.stringify({ ...manifest, imports: { ...manifest.imports, ...imports } }),
    };
  };

  for (const condition of CONDITIONS)
    test(`a cycle through the variant for the condition ${condition} is reported`, async () => {
      const files = {
        "pkg/src/variant/one.ts": `export { two } from "#fixture";\nexport const one = 1;\n`,
        "pkg/src/variant/two.ts": `import { one } from "./one";\nexport const two = one;\n`,
      };
      const clean = { "pkg/src/variant/clean.ts": `export const two = 2;\n` };
      const targets = { [condition]: "./src/variant/two.ts", default: "./src/variant/clean.ts" };
      const { code, stderr } = await check({
        ...files,
        ...clean,
        ...(await manifestWith({ "#fixture": targets })),
      });
      assert.equal(code, 1);
      const reported = stderr.match(/^\S+(?=: in an import cycle$)/gm);
      assert.deepEqual(reported, Object.keys(files).sort(), stderr);
      assert.equal(stderr.match(/^import cycle: /gm).length, 1, stderr);
    });

  test("variants for different conditions are in no cycle together", async () => {
    const targets = (folder) => ({
      node: `./src/${folder}/node.ts`,
      default: `./src/${folder}/web.ts`,
    });
    const { code, stderr } = await check({
      "pkg/src/one/node.ts": `export { two as one } from "#two";\n`,
      "pkg/src/one/web.ts": `export const one = 1;\n`,
      "pkg/src/two/node.ts": `export const two = 2;\n`,
      "pkg/src/two/web.ts": `export { one as two } from "#one";\n`,
      ...(await manifestWith({ "#one": targets("one"), "#two": targets("two") })),
    });
    assert.deepEqual([code, stderr], [0, ""]);
  });

  test("the list of allowed files may only shrink", async () => {
    const { code, stderr } = await check({
      "tools/lint/allowed-cycles.json": '{ "pkg/src/index.ts": 1 }\n',
    });
    assert.equal(code, 1);
    assert.match(stderr, /pkg\/src\/index\.ts: tools\/lint\/allowed-cycles\.json allows 1, found 0/);
  });
});
