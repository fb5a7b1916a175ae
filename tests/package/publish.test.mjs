/** The content of the tarball, and its treatment by resolvers and compilers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { publint } from "publint";
import { root } from "../support/paths.mjs";
import { installTarball, runNode } from "../support/tarball.mjs";

const { folder, installed, manifest, remove } = await installTarball();
after(remove);

/** An engine's code on the page and in a worker, in browsers and in Node; the JavaScript engine is for browsers. */
const ENGINES = ["", "node-"].flatMap((prefix) =>
  ["page-engine", "worker"].map((part) => `${prefix}${part}.js`),
);
const SCRIPTS = [
  ...["index.js", "node.js", "altcha-lib.js", "react.js", "service-worker.js", "saltmine.global.js"],
  ...["inline.js", "inline.global.js", "search.js", "requests.js", "javascript.js", ...ENGINES],
  ...["altcha-workers.js", "altcha-worker.js"],
  ...["", "node-"].flatMap((prefix) =>
    ["keys.js", "kdf-worker.js", "kdf-page-engine.js"].map((name) => prefix + name),
  ),
];
const KDF_MODULES = ["sha", "scrypt", "argon2id"].flatMap((name) => [
  `kdf-${name}.wasm`,
  `kdf-${name}-scalar.wasm`,
]);
const DIST = [
  ...SCRIPTS,
  ...SCRIPTS.map((name) => `${name}.map`),
  ...["simd128.wasm", "scalar.wasm", "integrity.json", ...KDF_MODULES],
  ...["index", "altcha-lib", "altcha-workers", "react", "saltmine.global", "inline.global"].map(
    (name) => `${name}.d.ts`,
  ),
];

describe("the tarball", () => {
  test("publint finds nothing to say", async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    assert.deepEqual(messages, []);
  });

  test("holds these files and no other", async () => {
    const guides = (await readdir(join(root, "docs")))
      .filter((name) => name.endsWith(".md") && name !== "production.md")
      .map((name) => `docs/${name}`);
    const files = (await readdir(installed, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(installed.length + 1));
    const wanted = ["package.json", "README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", ...guides];
    // Types have folders of their own.
    const types = files.filter((name) => /^dist\/\w+\/.*\.d\.ts$/.test(name));
    const others = files.filter((name) => !types.includes(name));
    assert.deepEqual(others.sort(), [...wanted, ...DIST.map((name) => `dist/${name}`)].sort());
    const reached = new Set();
    for (const file of [
      ...types,
      "dist/index.d.ts",
      "dist/react.d.ts",
      "dist/altcha-lib.d.ts",
      "dist/altcha-workers.d.ts",
    ]) {
      const text = await readFile(join(installed, file), "utf8");
      for (const [, path] of text.matchAll(/from "(\.\.?\/[^"]+)\.js"/g))
        reached.add(join(dirname(file), `${path}.d.ts`));
    }
    for (const type of types) assert.ok(reached.has(type), `nothing imports ${type}`);
    for (const type of reached) assert.ok(files.includes(type), `${type} is missing`);
  });

  test("its README and its guides lead to nothing that is not there", async () => {
    const guides = (await readdir(join(installed, "docs"))).map((name) => `docs/${name}`);
    assert.ok(guides.includes("docs/client.md"));
    for (const page of ["README.md", "CHANGELOG.md", ...guides]) {
      const text = await readFile(join(installed, page), "utf8");
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path);
      if (page === "README.md") assert.ok(links.includes("docs/client.md"));
      for (const link of links) await access(join(installed, dirname(page), link));
    }
  });

  test("has no dependencies, and no script that runs at its installation", () => {
    assert.equal(manifest.dependencies, undefined);
    // Only saltmine/react asks for it.
    assert.deepEqual(manifest.peerDependencies, { react: ">=18" });
    assert.deepEqual(manifest.peerDependenciesMeta, { react: { optional: true } });
    assert.deepEqual(
      Object.keys(manifest.scripts ?? {}).filter((name) => /install|prepare/.test(name)),
      [],
    );
  });

  test("no path of the machine that built it is left in the wasm and the scripts", async () => {
    for (const name of DIST) {
      const text = (await readFile(join(installed, "dist", name))).toString("latin1");
      assert.deepEqual(
        text.match(/[\w./-]*(\.cargo\/|\/home\/|\/root\/|\/Users\/)[\w./-]*/g) ?? [],
        [],
        name,
      );
    }
  });

  test("the worker's files are listed as having side effects, or bundlers drop them", () => {
    for (const file of ["./dist/worker.js", "./dist/node-worker.js"]) {
      assert.ok(manifest.sideEffects === undefined || manifest.sideEffects.includes(file), file);
    }
  });

  test("integrity.json has the hash of every file that a page can load", async () => {
    const dist = join(installed, "dist");
    const { version, files } = JSON.parse(await readFile(join(dist, "integrity.json"), "utf8"));
    assert.equal(version, manifest.version);
    // The folders in it hold types, which no page loads.
    const published = (await readdir(dist, { withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name !== "integrity.json")
      .map(({ name }) => name);
    assert.deepEqual(Object.keys(files).sort(), published.sort());
    for (const [name, hash] of Object.entries(files)) {
      const digest = createHash("sha384").update(await readFile(join(dist, name)));
      assert.equal(hash, `sha384-${digest.digest("base64")}`, name);
    }
  });

  test("every script names its source map, which has the sources and no path of the machine", async () => {
    for (const name of SCRIPTS) {
      const text = await readFile(join(installed, "dist", name), "utf8");
      assert.match(
        text,
        new RegExp(`\\n?//# sourceMappingURL=${name.replaceAll(".", "\\.")}\\.map\\n?$`),
        name,
      );
      const map = JSON.parse(await readFile(join(installed, "dist", `${name}.map`), "utf8"));
      assert.ok(map.sources.length > 0 && map.sourcesContent.length === map.sources.length, name);
      map.sources.forEach((source, index) => {
        assert.match(source, /^(\.\.\/(src|wasm)\/|\.\.\/\.\.\/node_modules\/|inline:|\.\.\/inline:)/, name);
        assert.ok(map.sourcesContent[index], `${name}: ${source}`);
      });
    }
    // Two places that a reader of a stack trace would look for.
    const sources = async (name) =>
      JSON.parse(await readFile(join(installed, "dist", `${name}.map`), "utf8")).sources;
    assert.ok((await sources("index.js")).includes("../src/session/client.ts"));
    assert.ok((await sources("worker.js")).includes("../src/worker/request-handler.ts"));
  });

  test("the published files can be imported by their names", async () => {
    const files = [
      "worker",
      "worker.js",
      "simd128.wasm",
      "scalar.wasm",
      "saltmine.global.js",
      "inline.global.js",
      "javascript.js",
      "kdf-worker.js",
      ...KDF_MODULES,
    ];
    const { code, stdout, stderr } = await runNode(
      folder,
      `
      import { existsSync } from "node:fs";
      for (const file of ${JSON.stringify(files)}) {
        const url = new URL(import.meta.resolve("saltmine/" + file));
        console.log(file, existsSync(url));
      }
      console.log(typeof (await import("saltmine/inline")).createClient);
      `,
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split("\n"), [...files.map((file) => `${file} true`), "function"]);
  });

  test("the one-file entry point refers to no other file, and has no expression that bundlers follow", async () => {
    for (const name of ["inline.js", "inline.global.js"]) {
      const text = await readFile(join(installed, "dist", name), "utf8");
      assert.doesNotMatch(
        text,
        /import\.meta|\bimport\s*\(|\bimport\s*["{*]|\bfrom\s*"|new URL\("\.\//,
        name,
      );
    }
  });

  test("every entry point reports the version", async () => {
    const entryPoints = ["node.js", "index.js", "service-worker.js", "inline.js"].map((file) =>
      join(installed, "dist", file),
    );
    const { stdout, stderr } = await runNode(
      folder,
      `for (const entryPoint of ${JSON.stringify(entryPoints)}) console.log((await import(entryPoint)).VERSION);`,
    );
    assert.deepEqual(
      stdout.trim().split("\n"),
      entryPoints.map(() => manifest.version),
      stderr,
    );
  });

  test("CommonJS can require it", async () => {
    const { stdout, stderr } = await runNode(
      folder,
      `
      import { createRequire } from "node:module";
      console.log(typeof createRequire(import.meta.url)("saltmine").createClient);
      `,
    );
    assert.equal(stdout.trim(), "function", stderr);
  });

  test("package.json can be imported, inner files cannot", async () => {
    const { code, stdout, stderr } = await runNode(
      folder,
      `
      import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      console.log(require("saltmine/package.json").name);
      await import("saltmine/dist/index.js").catch((error) => console.log(error.code));
      `,
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split("\n"), ["saltmine", "ERR_PACKAGE_PATH_NOT_EXPORTED"]);
  });
});

/** Every public name, used as its documentation says. */
const CONSUMER = `
import {
  type Backend,
  type Challenge,
  type Client,
  type ClientEvent,
  type ClientOptions,
  createClient,
  ERROR_CODES,
  type ErrorCode,
  type Failure,
  type Progress,
  SaltmineError,
  type Session,
  type SolveOptions,
  type SolveResult,
  solve,
  VERSION,
} from "saltmine";

export const version: string = VERSION;

const options: ClientOptions = {
  baseUrl: "https://api.example.com",
  appId: "app_1234567890abcdef",
  origin: "https://example.com",
  maxNumber: 1_000_000,
  timeoutMs: 5_000,
  storage: "session",
  onEvent: (event: ClientEvent) => {
    if (event.type === "ready") {
      const session: Session = event.session;
      const backend: Backend | undefined = event.backend;
      console.log(session.userId, event.source satisfies "callback" | "network" | "storage", backend?.thread, event.proofOfWork);
    } else if (event.type === "progress") console.log(event.share, "keysPerSecond" in event ? event.keysPerSecond : event.hashesPerSecond);
    else if (event.type === "warning") console.log(event.code, event.message);
    else console.log(event.state satisfies "starting" | "challenge" | "solving" | "waiting" | "session" | "ready" | "failed" | "signed_out", event.error?.code);
  },
};
export const client: Client = createClient(options);
export const headers: Record<string, string> = await client.headers({ signal: new AbortController().signal });

const challenge: Challenge = { algorithm: "SHA-256", challenge: "", salt: "", signature: "" };
const solving: SolveOptions = { workers: 2, maxNumber: 7, onProgress: (progress: Progress) => console.log(progress.searched) };
export const result: SolveResult = await solve(challenge, solving);
export const codes: readonly ErrorCode[] = ERROR_CODES;
const failure: Failure = { code: "network", status: 502 };
export const error: SaltmineError = new SaltmineError(failure);

try {
  await client.session();
} catch (error) {
  if (error instanceof SaltmineError && error.retryable) console.log(error.code, error.status, error.field, error.cause);
}
client.signOut();
client.dispose();
`;

/** The entry points beside the main one. */
const ENTRY_POINTS = `
import { type Solution, solveChallenge, solveChallengeWorkers } from "saltmine/altcha-lib";
import { type SessionState, useSession } from "saltmine/react";
import { createClient, type Client } from "saltmine/service-worker";
import { SaltmineError, type Session } from "saltmine";

export const { promise, controller }: { promise: Promise<Solution | null>; controller: AbortController } =
  solveChallenge("", "", "SHA-256", 1_000, 0);
export const found: Solution | null = await solveChallengeWorkers(new URL("https://example.com/"), 4, "", "");
export const client: Client = createClient({ baseUrl: "https://api.example.com", appId: "app_1", storage: "memory" });
export function Widget(): string {
  const state: SessionState = useSession({ baseUrl: "https://api.example.com", appId: "app_1" });
  const session: Session | undefined = state.session;
  if (state.error instanceof SaltmineError) state.retry();
  void state.client?.fetch("/run/api/chat");
  return state.isLoading ? "…" : (session?.userId ?? "");
}
`;

/** The beginning of the misuses below, which is correct. */
const MISUSE_PREAMBLE = `import { createClient, solve } from "saltmine";
const challenge = { algorithm: "SHA-256", challenge: "", salt: "", signature: "" };
void solve(challenge, { workers: 1 });
createClient({ baseUrl: "", appId: "", workers: 1 });
`;

/** Lines that are wrong in one thing each, and the compiler's message about that. */
const MISUSES = [
  ['createClient({ baseUrl: 1, appId: "a" });', /Type 'number' is not assignable to type 'string'/],
  [
    'createClient({ baseUrl: "", appId: "", workers: "1" });',
    /Type 'string' is not assignable to type 'number'/,
  ],
  ['createClient({ baseUrl: "" });', /Property 'appId' is missing/],
  ['void solve({ algorithm: "", challenge: "", signature: "" });', /Property 'salt' is missing/],
  ["void solve(null);", /Argument of type 'null'/],
  ["void solve(challenge, { workers: true });", /Type 'boolean' is not assignable to type 'number'/],
];

describe("TypeScript", () => {
  const resolutions = {
    bundler: ["--module", "esnext", "--moduleResolution", "bundler"],
    node16: ["--module", "node16", "--moduleResolution", "node16"],
    nodenext: ["--module", "nodenext", "--moduleResolution", "nodenext"],
  };
  for (const [name, flags] of Object.entries(resolutions)) {
    test(`a strict program compiles with moduleResolution ${name}`, async () => {
      assert.equal(await compile(`consumer-${name}.ts`, CONSUMER, flags), "");
    });
    test(`the entry points beside the main one compile with moduleResolution ${name}`, async () => {
      assert.equal(await compile(`entryPoints-${name}.ts`, ENTRY_POINTS, flags), "");
    });
    test(`misuse does not compile with moduleResolution ${name}`, async () => {
      const source = MISUSE_PREAMBLE + MISUSES.map(([line]) => line).join("\n");
      const errors = errorsByLine(await compile("misuse.ts", source, flags));
      const preambleLines = MISUSE_PREAMBLE.split("\n").length - 1;
      MISUSES.forEach(([line, message], index) => {
        const lineNumber = preambleLines + index + 1;
        assert.match(errors.get(lineNumber) ?? "it compiles", message, line);
        errors.delete(lineNumber);
      });
      assert.deepEqual([...errors], [], "the preamble is right");
    });
  }
});

/** The compiler's messages, by the line that they are about. */
function errorsByLine(printed) {
  const errors = new Map();
  for (const text of printed.split(/^(?=\S+\.ts\()/m).filter(Boolean)) {
    const line = Number(/\((\d+),/.exec(text)?.[1]);
    errors.set(line, (errors.get(line) ?? "") + text);
  }
  return errors;
}

/** Returns the errors of the repository's TypeScript in a file of the installed project. */
async function compile(name, source, flags) {
  await writeFile(join(folder, name), source);
  const tsc = createRequire(join(root, "package.json"))
    .resolve("typescript/package.json")
    .replace("package.json", "bin/tsc");
  const args = [
    tsc,
    "--noEmit",
    "--strict",
    "--exactOptionalPropertyTypes",
    "--target",
    "es2022",
    "--types",
    "",
    ...flags,
    name,
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}
