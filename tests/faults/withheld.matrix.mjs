/**
 * Every published file is withheld, one at a time, from every entry point: each call succeeds by a fallback or fails with
 * `engine_unavailable`, in time, and nothing is left unhandled.
 */
import assert from "node:assert/strict";
import { cp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launchBrowser } from "../support/browser.mjs";
import { makeToken, right, startService, APP_ID, makeChallenge } from "../support/service.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball, runNode } from "../support/tarball.mjs";
import { usual } from "../support/vectors.mjs";

const tarball = await installTarball();
const browser = await launchBrowser();
const service = await startService(right, { otherwise: () => ({ body: {} }) });
/** Its challenges are for several workers. */
const deepService = await startService({
  challenge: async () => ({ body: await makeChallenge({ number: 7_500_000, maxNumber: 8_000_000 }) }),
});
after(async () => {
  await browser.close();
  await service.close();
  await deepService.close();
  await tarball.remove();
});

const { number: _, ...solve } = usual;
const settings = {
  service: { baseUrl: service.baseUrl, appId: APP_ID },
  solve,
  rare: await makeChallenge({ algorithm: "SHA-512", maxNumber: 100 }),
  deep: await makeChallenge({ number: 7_500_000, maxNumber: 8_000_000 }),
  keys: {
    sha: keyChallenge("PBKDF2/SHA-256", { cost: 10 }),
    scrypt: keyChallenge("SCRYPT", { cost: 16, memoryCost: 8 }),
    argon2id: keyChallenge("ARGON2ID", { cost: 1, memoryCost: 64 }),
  },
  userToken: makeToken({ sub: "user-1", iat: Date.now() / 1_000, exp: Date.now() / 1_000 + 3_600 }),
};
/** A challenge of version 2 that some 16 keys solve. */
function keyChallenge(algorithm, costs) {
  const nonce = "00112233445566778899aabbccddeeff";
  return { parameters: { algorithm, ...costs, keyLength: 32, keyPrefix: "0", nonce, salt: nonce } };
}
/** One call, whose search more than one worker takes part in. */
const SHARED_SEARCH = { deepBaseUrl: deepService.baseUrl, only: ["session, several workers"] };
const isLoaded = (name) => /\.(js|wasm)$/.test(name);
const published = (await readdir(tarball.dist)).filter(isLoaded);
const callsModule = await readFile(new URL("withheld-calls.mjs", import.meta.url), "utf8");

/** The entry points that a page loads by themselves, from the package's `exports`: file name to kind. */
const ENTRIES = Object.fromEntries(
  Object.entries(tarball.manifest.exports)
    .filter(([name]) => !/json|wasm|workers?(\.js)?$|javascript/.test(name) || name === "./service-worker")
    .map(([, target]) => target.default.split("/").at(-1))
    .concat("saltmine.global.js")
    .map((file) => [file, file.endsWith(".global.js") ? "script" : "module"]),
);

/** React, which is not a file of the package, as one module with its renderer. */
const react = await build({
  stdin: {
    // Names, since React is a CommonJS module.
    contents: `
      export { createElement, StrictMode, useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
      export { createRoot } from "react-dom/client";`,
    resolveDir: fileURLToPath(new URL(".", import.meta.url)),
  },
  bundle: true,
  format: "esm",
  write: false,
  logLevel: "error",
  define: { "process.env.NODE_ENV": '"development"' },
});

/** The page's policy, which decides which files are needed. */
const POLICIES = { "any policy": undefined, "no workers": "worker-src 'none'" };

/** A site with the package but for one file; `asked` are the files that are requested. */
async function serveWithout(withheld, { files, headers }) {
  const asked = new Set();
  const site = await serveFiles({
    folders: { "/saltmine/": tarball.dist },
    files,
    headers,
    answer: (path) => {
      const file = path.replace("/saltmine/", "");
      if (path.startsWith("/saltmine/")) asked.add(file);
      return file === withheld ? { status: 404, type: "text/html", body: "<h1>Not found</h1>" } : undefined;
    },
  });
  return { site, asked };
}

/** Opens a page of an entry point without the file, makes the calls there, and resolves to the outcomes. */
async function attemptInPage(entry, policy, withheld, more = {}) {
  const imports = { saltmine: "/saltmine/index.js", react: "/react.js" };
  const importMap = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  // The one-file entry point has no other module of version 2 in it.
  const { scrypt: _scrypt, argon2id: _argon2id, ...inlineKeys } = settings.keys;
  const wanted = { ...settings, ...more, ...(entry.startsWith("inline") && { keys: inlineKeys }) };
  const script = ENTRIES[entry] === "script" ? `<script src="/saltmine/${entry}"></script>` : "";
  const { site, asked } = await serveWithout(withheld, {
    files: {
      "/": BLANK_PAGE + importMap + script,
      "/calls.js": callsModule,
      "/react.js": react.outputFiles[0].text,
    },
    headers: policy ? { "content-security-policy": policy } : {},
  });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const uncaught = [];
    page.on("pageerror", (error) => uncaught.push(String(error)));
    await page.goto(site.origin);
    const outcomes = await page.evaluate(
      async ([entry, kind, settings]) => {
        const { attempt } = await import("/calls.js");
        const api = kind === "script" ? saltmine : await import(`/saltmine/${entry}`);
        const { SaltmineError, createClient } = api.SaltmineError ? api : await import("saltmine");
        const used = api.useSession ? { ...api, createClient, react: await import("react") } : api;
        return attempt(used, settings, SaltmineError);
      },
      [entry, ENTRIES[entry], wanted],
    );
    assert.deepEqual(uncaught, []);
    return { outcomes, asked: [...asked] };
  } finally {
    await context.close();
    await site.close();
  }
}

/** Checks the outcomes of one attempt; returns which calls failed. */
function assertOutcomes(outcomes) {
  const failed = Object.entries(outcomes).filter(([, outcome]) => outcome !== true);
  for (const [name, { code, message, isOurs }] of failed) {
    assert.equal(code, "engine_unavailable", `${name}: ${message}`);
    assert.equal(isOurs, true, `${name}: ${message}`);
    assert.match(message, /Check that the package's files are served/, name);
  }
  return failed.map(([name]) => name);
}

describe("in a page", () => {
  const needed = new Set();
  for (const entry of Object.keys(ENTRIES))
    for (const [what, policy] of Object.entries(POLICIES))
      test(`${entry}, under ${what}`, async (t) => {
        const { outcomes, asked } = await attemptInPage(entry, policy);
        assert.deepEqual(assertOutcomes(outcomes), [], "with all files every call succeeds");
        for (const file of asked.filter((file) => isLoaded(file) && file !== entry)) {
          needed.add(file);
          // Of these only the import fails.
          if (/^(altcha-lib|react)\.js$/.test(entry) && file === "index.js") continue;
          await t.test(`without ${file}`, async () => {
            const { outcomes } = await attemptInPage(entry, policy, file);
            assertOutcomes(outcomes);
          });
        }
      });

  test("index.js, without search.js: one worker finishes a search for several", async () => {
    const { outcomes, asked } = await attemptInPage("index.js", undefined, "search.js", SHARED_SEARCH);
    assert.deepEqual(outcomes, { [SHARED_SEARCH.only]: true });
    assert.ok(asked.includes("search.js"));
  });

  test("every file that challenges need was withheld", () => {
    const forPages = [
      "worker.js",
      "page-engine.js",
      "simd128.wasm",
      "javascript.js",
      "search.js",
      "requests.js",
      "keys.js",
      "kdf-worker.js",
      "kdf-page-engine.js",
      "kdf-sha.wasm",
      "kdf-scrypt.wasm",
      "kdf-argon2id.wasm",
    ];
    assert.deepEqual(
      forPages.filter((file) => !needed.has(file)),
      [],
    );
  });
});

/** The altcha widget's side: it receives an answer, or an `error` event. */
describe("altcha-workers.js in a page", () => {
  const ENTRY = "altcha-workers.js";

  async function solveAll(withheld) {
    const { site, asked } = await serveWithout(withheld, { files: { "/": BLANK_PAGE } });
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(site.origin);
      const answers = await page.evaluate(
        async ([entry, challenges]) => {
          const { createWorker } = await import(`/saltmine/${entry}`);
          const solve = (challenge) =>
            new Promise((resolve) => {
              const worker = createWorker();
              const end = (answer) => {
                worker.terminate();
                resolve(answer);
              };
              worker.onmessage = ({ data }) => end(data);
              worker.onerror = () => end({ error: "no worker" });
              setTimeout(end, 30_000, { error: undefined });
              worker.postMessage({ type: "work", challenge });
            });
          return Promise.all(challenges.map(solve));
        },
        [ENTRY, Object.values(settings.keys)],
      );
      return { answers, asked: [...asked].filter((file) => isLoaded(file) && file !== ENTRY) };
    } finally {
      await context.close();
      await site.close();
    }
  }

  test("each file is withheld: every worker answers", async (t) => {
    const { answers, asked } = await solveAll();
    for (const { derivedKey } of answers) assert.match(derivedKey, /^0/);
    assert.ok(asked.length >= 4, `the worker's script, and three modules: ${asked}`);
    for (const file of asked)
      await t.test(`without ${file}`, async () => {
        const { answers } = await solveAll(file);
        for (const { derivedKey, error } of answers)
          assert.match(derivedKey ?? error, /^0|^no worker$|\.wasm answered 404$/);
      });
  });
});

describe("in Node", () => {
  const NODE_ENTRY = "node.js";
  /** Whether only pages use the file. */
  const isForPages = (file) =>
    file in ENTRIES || /^(react|worker|page-engine|altcha|kdf-(worker|page-engine)|keys)/.test(file);
  const files = published.filter((file) => file !== NODE_ENTRY && !isForPages(file));
  const isWorker = (file) => /^node-(kdf-)?worker/.test(file);

  /** Makes every call in a process whose package lacks some files. */
  async function attemptInNode(withheld, more = {}) {
    const folder = join(tarball.installed, "withheld");
    await cp(tarball.dist, folder, { recursive: true });
    for (const file of withheld) await rm(join(folder, file));
    const source = `
      import { attempt } from ${JSON.stringify(new URL("withheld-calls.mjs", import.meta.url).href)};
      import * as api from ${JSON.stringify(join(folder, NODE_ENTRY))};
      console.log(JSON.stringify(await attempt(api, ${JSON.stringify({ ...settings, hasJavaScript: false, ...more })}, api.SaltmineError)));`;
    try {
      const { code, stdout, stderr } = await runNode(tarball.folder, source);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test("with all files every call succeeds", async () => {
    assert.deepEqual(assertOutcomes(await attemptInNode([])), []);
  });

  for (const file of files)
    test(`without ${file}`, async () => {
      assertOutcomes(await attemptInNode([file]));
    });

  test("without search.js: one worker finishes a search for several", async () => {
    assert.deepEqual(await attemptInNode(["search.js"], SHARED_SEARCH), { [SHARED_SEARCH.only]: true });
  });

  describe("without workers", () => {
    const workers = files.filter(isWorker);
    test("every call succeeds", async () => {
      assert.deepEqual(assertOutcomes(await attemptInNode(workers)), []);
    });
    for (const file of files.filter((file) =>
      /^node-(kdf-)?page-engine|^node-keys|^javascript|\.wasm$/.test(file),
    ))
      test(`without ${file}`, async () => {
        assertOutcomes(await attemptInNode([...workers, file]));
      });
  });
});
