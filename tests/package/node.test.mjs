/** The packed package in Node. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { installTarball, runNode } from "../support/tarball.mjs";
import { killOne, threadCount, threadsGone } from "../support/threads.mjs";
import { KEY_CHALLENGE, vectors } from "../support/vectors.mjs";
import { solverHere, testSolve } from "./suite.mjs";

const { folder, entryPoints, remove } = await installTarball();
const saltmine = await import(entryPoints.node);
after(remove);

/** An engine that rests is ended after this long, by the package's own word; 20 seconds more for a busy machine. */
const IDLE_MS = 5_000 + 20_000;

/** SHA-256 is what everybody uses: only it has a SIMD engine. */
const NO_SIMD_FOR_IT = "the challenge's hash function has no SIMD engine";

const hopeless = {
  algorithm: "SHA-256",
  challenge: "0".repeat(64),
  maxnumber: 5_000_000,
  salt: "6c35a1501ec0e1455818266e?expires=1793028210&",
  signature: "0".repeat(64),
};

describe("solve in Node", () => {
  testSolve({
    ...solverHere(saltmine),
    backend: { engine: "simd128", thread: "worker" },
    rareBackend: { engine: "scalar", thread: "worker", reason: NO_SIMD_FOR_IT },
  });

  test("as many threads as the work is worth, at most as asked for; none outlives the idle time", async () => {
    const threads = async (maxnumber, workers) => {
      await threadsGone(IDLE_MS);
      let most = 0;
      const onProgress = () => {
        most = Math.max(most, threadCount());
      };
      const options = { workers, onProgress, maxNumber: maxnumber };
      await assert.rejects(saltmine.solve({ ...hopeless, maxnumber }, options), { code: "no_solution" });
      return most;
    };
    assert.equal(await threads(50_000, 8), 1);
    assert.equal(await threads(40_000_000, 3), 3);
    assert.equal(await threads(20_000_000, 1), 1);
    await threadsGone(IDLE_MS);
  });

  test("the address of a server in assetsUrl, which a page shares, is not used", async () => {
    const challenge = {
      algorithm: "SHA-256",
      challenge: "2ab204d76cdcec4609d290441fed2eec4186d288ca47c40cc7dd661a0de1b0d0",
      maxnumber: 1_000,
      salt: "salt",
      signature: "0".repeat(64),
    };
    const folder = "https://cdn.example.invalid/saltmine/";
    for (const assetsUrl of [
      folder,
      { "worker.js": `${folder}worker.js`, "kdf-worker.js": `${folder}kdf-worker.js` },
    ])
      for (const given of [challenge, KEY_CHALLENGE]) {
        const { backend } = await saltmine.solve(given, { assetsUrl });
        assert.deepEqual(backend, { engine: "simd128", thread: "worker" });
      }
    await threadsGone(IDLE_MS);
  });

  test("an abort before the call starts no thread", async () => {
    const solving = saltmine.solve(hopeless, { signal: AbortSignal.abort() });
    await assert.rejects(solving, { name: "AbortError" });
    assert.equal(threadCount(), 0);
  });

  test("a thread that dies takes nothing with it: the others search its part again", async () => {
    const shares = [];
    let killed;
    const onProgress = ({ share }) => {
      shares.push(share);
      if (share > 0.2) killed ??= killOne();
    };
    await assert.rejects(saltmine.solve(hopeless, { workers: 2, onProgress }), { code: "no_solution" });
    assert.ok(killed, "one was killed");
    assert.deepEqual(
      shares,
      [...shares].sort((one, other) => one - other),
      "progress never goes back",
    );
    assert.equal(shares.at(-1), 1, "all of it was searched");
  });

  test("the only thread that dies is replaced", async () => {
    await threadsGone(IDLE_MS);
    let killed;
    const onProgress = () => {
      killed ??= killOne();
    };
    const challenge = { ...hopeless, maxnumber: 2_000_000 };
    await assert.rejects(saltmine.solve(challenge, { onProgress }), { code: "no_solution" });
    assert.ok(killed, "it was killed");
  });

  test("when every thread dies the search ends, and the next call has a new one", async () => {
    const onProgress = () => threadCount() > 0 && killOne();
    for (const workers of [1, 3]) {
      await assert.rejects(saltmine.solve(hopeless, { workers, onProgress }), {
        code: "engine_failed",
        retryable: true,
      });
    }
    const { number, ...challenge } = vectors[1];
    assert.equal((await saltmine.solve(challenge)).number, number);
  });
});

describe("the import in Node", () => {
  test("starts nothing: no worker, no wasm, no file, no global", async () => {
    const { code, stdout, stderr } = await runNode(
      folder,
      `
      import { syncBuiltinESMExports } from "node:module";
      import workerThreads from "node:worker_threads";
      import fs from "node:fs";
      import promises from "node:fs/promises";
      const did = [];
      const watch = (object, name) => {
        const original = object[name];
        object[name] = new Proxy(original, {
          apply(target, self, args) {
            // Node itself reads the module through the same function.
            if (!/\\.m?js$|package\\.json$/.test(String(args[0]))) did.push(name + " " + args[0]);
            return Reflect.apply(target, self, args);
          },
          construct(target, args) { did.push(name); return Reflect.construct(target, args); },
        });
      };
      watch(workerThreads, "Worker");
      for (const name of ["readFile", "readFileSync"]) watch(fs, name);
      watch(promises, "readFile");
      for (const name of ["compile", "instantiate", "validate", "Module", "Instance", "Memory"]) watch(WebAssembly, name);
      for (const name of ["fetch", "setTimeout", "setInterval"]) watch(globalThis, name);
      syncBuiltinESMExports();
      // The watch itself must see something.
      new WebAssembly.Memory({ initial: 0 });
      if (did.pop() !== "Memory") throw new Error("the watch is blind");
      const before = Reflect.ownKeys(globalThis);
      const saltmine = await import("saltmine");
      const globals = Reflect.ownKeys(globalThis).filter((name) => !before.includes(name));
      console.log(JSON.stringify({ did, globals, exports: Object.keys(saltmine) }));
      `,
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      did: [],
      globals: [],
      exports: ["ERROR_CODES", "SaltmineError", "VERSION", "createClient", "solve"],
    });
  });

  test("the browsers' entry point loads in a context without any global of a browser", async () => {
    const { code, stdout, stderr } = await runNode(
      folder,
      `
      import { readFileSync } from "node:fs";
      import vm from "node:vm";
      const context = vm.createContext({});
      const source = readFileSync("node_modules/saltmine/dist/index.js", "utf8");
      const module = new vm.SourceTextModule(source, { context, identifier: "saltmine" });
      await module.link((specifier) => { throw new Error("it imports " + specifier); });
      await module.evaluate();
      console.log(JSON.stringify({ exports: Object.keys(module.namespace), globals: vm.runInContext("Object.keys(globalThis)", context) }));
      `,
      ["--experimental-vm-modules", "--no-warnings"],
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      exports: ["ERROR_CODES", "SaltmineError", "VERSION", "createClient", "solve"],
      globals: [],
    });
  });

  test("the documented codes and the sentences of the errors", () => {
    const { ERROR_CODES, SaltmineError } = saltmine;
    assert.deepEqual(ERROR_CODES, [
      "aborted",
      "algorithm_unsupported",
      "anonymous_not_allowed",
      "app_not_found",
      "auth_token_failed",
      "auth_token_invalid",
      "bad_request",
      "challenge_malformed",
      "disposed",
      "engine_failed",
      "engine_unavailable",
      "interaction_required",
      "invalid_options",
      "maxnumber_too_large",
      "network",
      "no_solution",
      "origin_not_allowed",
      "pow_expired",
      "pow_invalid",
      "pow_replayed",
      "pow_required",
      "rate_limited",
      "response_malformed",
      "runtime_unsupported",
      "server_error",
      "timeout",
    ]);
    for (const code of ERROR_CODES) {
      const error = new SaltmineError({ code, status: 400 }, "why");
      assert.ok(error instanceof Error);
      assert.equal(error.name, "SaltmineError");
      assert.equal(error.status, 400);
      assert.equal(error.cause, "why");
      assert.match(error.message, /^[A-Z].{15,}\.$/);
    }
  });
});

describe("what is wrong is told before anything starts", () => {
  for (const [what, options, field] of [
    ["options that are none", null, "options"],
    ["a signal that is none", { signal: {} }, "signal"],
    ["a listener that is none", { onProgress: "progress" }, "onProgress"],
    ["an option that does not exist", { timeout: 5 }, "timeout"],
    ["an option for challenges of version 2", { maxCounter: 1_000 }, "maxCounter"],
  ]) {
    test(what, async () => {
      await threadsGone(IDLE_MS);
      await assert.rejects(saltmine.solve(hopeless, options), { code: "invalid_options", field });
      assert.equal(threadCount(), 0);
    });
  }

  test("a member that throws", async () => {
    const cause = new Error("no salt today");
    const throwing = Object.defineProperty({ ...hopeless }, "salt", {
      get() {
        throw cause;
      },
    });
    await assert.rejects(saltmine.solve(throwing), { code: "challenge_malformed", field: "salt", cause });
  });
});

describe("a Node process", () => {
  const solveOnce = `
    import { solve } from "saltmine";
    const { number, ...challenge } = ${JSON.stringify(vectors[1])};
    const found = await solve(challenge);
    if (found.number !== number) throw new Error("found " + found.number);
  `;

  test("ends by itself, at once, when its work is done", async () => {
    const { code, stderr, ms } = await runNode(folder, `${solveOnce} console.log("done");`);
    assert.equal(code, 0, stderr);
    assert.ok(ms < 4_900, `it ended after ${Math.round(ms)} ms: an idle engine kept it alive`);
  });

  test("ends at once after a challenge of version 2, whose other threads had not started yet", async () => {
    const { code, stderr, ms } = await runNode(
      folder,
      `
      import { solve } from "saltmine";

      const nonce = "00112233445566778899aabbccddeeff";
      const parameters = { algorithm: "SCRYPT", cost: 16, memoryCost: 8, keyPrefix: "0", nonce, salt: nonce };
      await solve({ parameters }, { workers: 8 });`,
    );
    assert.equal(code, 0, stderr);
    assert.ok(ms < 5_000, `it ended after ${Math.round(ms)} ms: a timer kept it alive`);
  });

  test("is kept alive while it waits for a search", async () => {
    // Nothing else holds this process: if the search did not, it would end before it printed.
    const { code, stdout, stderr } = await runNode(
      folder,
      `import { solve } from "saltmine";
       const { number, ...challenge } = ${JSON.stringify(vectors[1])};
       solve({ ...challenge, challenge: "0".repeat(64), maxnumber: 2_000_000 }).catch((error) => console.log(error.code));`,
    );
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), "no_solution");
  });
});
