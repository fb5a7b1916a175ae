/** An instance of the module that traps: it is not used any more, and the next one takes its place. */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { installTarball, runNode } from "../support/tarball.mjs";

const { dist, remove } = await installTarball();
after(remove);

/**
 * Makes the first instance of all threads trap at its call number `at` of an exported function, and prints each later call of
 * that instance. The file `instances` has a `+` for each instance, and a `!` for the trap. An instance takes some time, so that
 * calls which lose theirs at once start the next one together.
 */
const trapping = (at) => `
  const { appendFileSync, readFileSync } = await import("node:fs");
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...args) => {
    const { exports } = await instantiate(...args);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const log = new URL("instances", import.meta.url);
    appendFileSync(log, "+");
    const isFirst = readFileSync(log).length === 1;
    let calls = 0;
    const watch = (call) => (...args) => {
      if (!isFirst || ++calls < ${at}) return call(...args);
      if (calls > ${at}) console.log("the trapped instance was called");
      else appendFileSync(log, "!");
      throw new WebAssembly.RuntimeError("unreachable");
    };
    const watched = ([name, value]) => [name, typeof value === "function" ? watch(value) : value];
    return { exports: Object.fromEntries(Object.entries(exports).map(watched)) };
  };
`;

/** Solves as often at a time as each number of `counts` says, one after the other. */
const script = (counts) => `
  import { solve } from "./dist/node.js";

  for (const type of ["uncaughtException", "unhandledRejection"])
    process.on(type, (error) => console.log(type, error.message));
  const challenge = {
    algorithm: "SHA-256",
    challenge: "2ab204d76cdcec4609d290441fed2eec4186d288ca47c40cc7dd661a0de1b0d0",
    maxnumber: 1000,
    salt: "salt",
    signature: "0".repeat(64),
  };
  for (const count of [${counts}]) {
    const solving = Array.from({ length: count }, () =>
      solve(challenge).then(({ number, backend }) => number + " " + backend.thread, ({ code }) => code),
    );
    for (const outcome of await Promise.all(solving)) console.log(outcome);
  }
  // Time for the garbage collector and for callbacks of the trapped instance.
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 50));
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 50));
`;

// The log: one instance after the other on the page's thread; in workers two calls at a time have one each.
for (const [where, thread, file, counts, log, calls] of [
  ["on the page's thread", "page", "node-page-engine.js", [2, 2, 1], /^\+!\+$/, [1, 2, 5, 20, 40, 80]],
  ["in a worker", "worker", "node-worker.js", [1, 1, 2, 1], /^\+{1,2}!\+{1,2}$/, [1, 2, 5, 20, 40]],
])
  for (const at of calls)
    test(`${where}, at call ${at}: no uncaught error, and every call has its result`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "saltmine-trap-"));
      t.after(() => rm(folder, { recursive: true, force: true }));
      await cp(dist, join(folder, "dist"), { recursive: true, filter: (path) => !path.endsWith(".map") });
      await writeFile(join(folder, "package.json"), '{ "type": "module" }');
      if (thread === "page") await rm(join(folder, "dist", "node-worker.js"));
      const engine = join(folder, "dist", file);
      await writeFile(engine, trapping(at) + (await readFile(engine, "utf8")));
      const { code, stdout, stderr, ms } = await runNode(folder, script(counts), ["--expose-gc"]);
      assert.deepEqual(stdout.trim().split("\n"), Array(5).fill(`7 ${thread}`), `${code} ${stderr}`);
      assert.match(await readFile(join(folder, "dist", "instances"), "utf8"), log);
      assert.ok(ms < 20_000, `the process ends by itself, after ${ms} ms`);
    });
