/** The size of an import in an application: each is bundled by esbuild, opened in Chromium, and run until it is done. */
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../support/paths.mjs";
import { APP_ID } from "../support/service.mjs";
import { BLANK_PAGE } from "../support/static.mjs";

const done = "globalThis.done = { at: performance.now()";
const options = `{ baseUrl: location.origin, appId: "${APP_ID}" }`;
const challenge = "2ab204d76cdcec4609d290441fed2eec4186d288ca47c40cc7dd661a0de1b0d0";

/** By the names of their budgets: the code of an application that takes this and nothing else. */
const SCENARIOS = {
  createClient: `
    import { createClient } from "saltmine";
    createClient(${options}).session().then(({ token }) => { ${done}, token }; });`,
  solve: `
    import { solve } from "saltmine";
    const { challenge, salt } = { challenge: "${challenge}", salt: "salt" };
    solve({ algorithm: "SHA-256", challenge, salt, signature: challenge, maxnumber: 1000 })
      .then(({ number, backend }) => { ${done}, number, backend }; });`,
  "saltmine/altcha-lib": `
    import { solveChallenge } from "saltmine/altcha-lib";
    solveChallenge("${challenge}", "salt", "SHA-256", 1000).promise
      .then(({ number }) => { ${done}, number }; });`,
  "saltmine/react": `
    import { createElement } from "react";
    import { createRoot } from "react-dom/client";
    import { useSession } from "saltmine/react";
    function Widget() {
      const { session } = useSession(${options});
      if (session) ${done}, token: session.token };
      return null;
    }
    createRoot(document.body).render(createElement(Widget));`,
};

/** React and its renderer are the application's own. */
const REACT = `
  import * as React from "react";
  export const { createElement, useCallback, useEffect, useRef, useState, useSyncExternalStore } = React;
  export { createRoot } from "react-dom/client";`;
const PAGE = `${BLANK_PAGE}
<script type="importmap">{ "imports": { "react": "/react.js", "react-dom/client": "/react.js" } }</script>
<body><script type="module" src="/main.js"></script>`;

const bundle = (contents, resolveDir, more) =>
  build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    format: "esm",
    outdir: resolveDir,
    write: false,
    logLevel: "error",
    define: { "process.env.NODE_ENV": '"production"' },
    ...more,
  });

/** The files of a build, by their paths on a site. */
const filesOf = (outputFiles, folder) =>
  Object.fromEntries(outputFiles.map(({ path, contents }) => [path.slice(folder.length), contents]));

/**
 * The names of the scenarios, each with the files that its page loads, in order, and those of them that are its entry.
 * `load(path, site)` opens a page and resolves to what was sent to it.
 */
export async function loadScenarios({ folder, dist }, load) {
  const tests = join(root, "tests");
  const react = await bundle(REACT, tests);
  const loaded = [];
  for (const [name, source] of Object.entries(SCENARIOS)) {
    const made = await bundle(source, folder, {
      splitting: true,
      external: ["react", "react-dom"],
      entryNames: "main",
      metafile: true,
    });
    const files = {
      "/": PAGE,
      "/react.js": react.outputFiles[0].contents,
      ...filesOf(made.outputFiles, folder),
    };
    // esbuild leaves the worker and the wasm where the bundle is.
    const sent = (await load("/", { files, folders: { "/": dist } })).files;
    const own = sent.filter(({ path }) => path !== "/react.js");
    for (const needed of ["/main.js", "/worker.js", "/simd128.wasm"])
      if (!own.some(({ path }) => path === needed)) throw new Error(`${name} has not loaded ${needed}`);
    const entry = entryOf(made.metafile);
    loaded.push({ name, files: own, entry: own.filter(({ path }) => entry.has(path)) });
  }
  return loaded;
}

/** The entry and the chunks that it imports at once. */
function entryOf({ outputs }) {
  const paths = new Map(Object.keys(outputs).map((path) => [path, `/${path.split("/").at(-1)}`]));
  const reached = new Set();
  const visit = (path) => {
    if (reached.has(paths.get(path))) return;
    reached.add(paths.get(path));
    for (const { path: next, kind, external } of outputs[path].imports)
      if (kind === "import-statement" && !external) visit(next);
  };
  visit(Object.keys(outputs).find((path) => outputs[path].entryPoint));
  return reached;
}
