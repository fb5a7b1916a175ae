/** docs/bundlers.md: its settings and versions are those of the projects in tests/packaging and tests/frameworks. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/paths.mjs";

const text = await readFile(join(root, "docs", "bundlers.md"), "utf8");
const folder = join(root, "tests", "packaging");
const frameworks = join(root, "tests", "frameworks");
/** Indentation aside, by which HTML differs. */
const flat = (code) => code.trim().replace(/^ +/gm, "");

const files = new Map();
for (const projects of [folder, frameworks]) {
  for (const entry of await readdir(projects, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile()) files.set(path, await readFile(path, "utf8"));
  }
}

test("every block is part of a project", () => {
  const blocks = [...text.matchAll(/^```([a-z]+)\n([\s\S]*?)^```$/gm)];
  assert.ok(blocks.length >= 8);
  const sources = [...files.values()].map(flat);
  const unused = blocks.filter(([, , code]) => !sources.some((source) => source.includes(flat(code))));
  assert.deepEqual(
    unused.map(([, , code]) => code),
    [],
  );
});

for (const [tool, project, name] of [
  ["Vite", "vite", "vite"],
  ["webpack", "webpack", "webpack"],
  ["Rspack", "rspack", "@rspack/core"],
  ["Next.js", "next", "next"],
  ["Parcel", "parcel", "parcel"],
  ["esbuild", "esbuild", "esbuild"],
  ["Rollup", "rollup", "rollup"],
  ["workerd", "workerd", "workerd"],
  ["Angular", "angular", "@angular/core"],
  ["Astro 7", "astro", "astro"],
  ["Astro 6", "astro-6", "astro"],
  ["Farm", "farm", "@farmfe/core"],
  ["Nuxt", "nuxt", "nuxt"],
  ["React Router 7", "react-router", "react-router"],
  ["Rsbuild", "rsbuild", "@rsbuild/core"],
  ["SolidStart", "solid-start", "@solidjs/start"],
  ["SvelteKit", "sveltekit", "@sveltejs/kit"],
  ["tsdown", "tsdown", "tsdown"],
]) {
  test(`${tool} is run in the version that is told`, () => {
    const manifest = [folder, frameworks].map((path) => files.get(join(path, project, "package.json")));
    const { dependencies, devDependencies } = JSON.parse(manifest.find(Boolean));
    const version = { ...dependencies, ...devDependencies }[name];
    assert.match(version, /^\d+\.\d+\.\d+$/, "pinned");
    assert.ok(text.includes(`| ${tool} | ${version} |`), `${tool} ${version}`);
  });
}

test("Vite 5 to 7 are run in the versions that are listed", () => {
  const versions = [5, 6, 7].map((major) => {
    const { devDependencies } = JSON.parse(files.get(join(folder, `vite-${major}`, "package.json")));
    assert.ok(devDependencies.vite.startsWith(`${major}.`));
    return devDependencies.vite;
  });
  assert.ok(text.includes(`| Vite 5 to 7 | ${versions.join(", ")} |`));
});

test("the table of entry points has every one of the package", async () => {
  const table = /^## Which entry point\n([\s\S]*?)^## /m.exec(text)[1];
  const { exports } = JSON.parse(await readFile(join(root, "pkg", "package.json"), "utf8"));
  // Those for another library or framework have pages of their own; the others are files.
  const entries = Object.keys(exports).filter(
    (name) => !/altcha|react|worker(\.js)?$|wasm|json|javascript/.test(name) || name === "./service-worker",
  );
  assert.equal(entries.length, 5);
  for (const name of entries) {
    const shown = name.endsWith(".js") ? name.slice("./".length) : name.replace(/^\./, "saltmine");
    assert.ok(table.includes(`\`${shown}\``), shown);
  }
});

test("each project's lock file is of its package.json", () => {
  const projects = [...files.keys()].filter((path) => path.endsWith("package.json"));
  assert.ok(projects.length > 10);
  for (const path of projects) {
    const { dependencies, devDependencies } = JSON.parse(files.get(path));
    const { packages } = JSON.parse(files.get(path.replace("package.json", "package-lock.json")));
    const locked = packages[""];
    assert.deepEqual([locked.dependencies, locked.devDependencies], [dependencies, devDependencies], path);
  }
});

test("every link leads somewhere", async () => {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title.toLowerCase().replaceAll(" ", "-"),
  );
  for (const [, target, anchor] of text.matchAll(/\]\(([^)#]*)#?([^)]*)\)/g)) {
    if (target) await readFile(join(root, "docs", target), "utf8");
    else assert.ok(headings.includes(anchor), anchor);
  }
});
