/** Outside of browsers: Node, Deno, Bun and jsdom. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { JSDOM } from "jsdom";
import { root } from "../support/paths.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { installTarball, runNode } from "../support/tarball.mjs";
import { KEY_CHALLENGE } from "../support/vectors.mjs";

const { folder, remove } = await installTarball();
const server = await startServer();
after(async () => {
  await server.stop();
  await remove();
});

const PROGRAM = `
  import { createClient, solve } from "saltmine";
  const events = [];
  const client = createClient({
    baseUrl: ${JSON.stringify(server.baseUrl)},
    appId: "${DEMO_APP_ID}",
    origin: "http://127.0.0.1",
    onEvent: (event) => events.push(event),
  });
  const { userId } = await client.session();
  const body = JSON.stringify({ messages: [{ role: "user", content: "Ahoy" }], stream: false });
  const headers = { "Content-Type": "application/json" };
  const { status } = await client.fetch("/run/api/chat", { method: "POST", headers, body });
  client.dispose();
  const { engine, thread } = events.at(-1).backend;
  console.log(userId.slice(0, 5), status, engine, thread);`;
const EXPECTED = "anon_ 200 simd128 worker";

test("Node: a session and a chat, and the process ends by itself", async () => {
  const { stdout, stderr, ms } = await runNode(folder, PROGRAM);
  assert.equal(stdout.trim(), EXPECTED, stderr);
  assert.ok(ms < 10_000, `${ms} ms`);
});

test("Node: forty solutions asked for at once, and Node warns of nothing", async () => {
  const { stdout, stderr } = await runNode(
    folder,
    `
    import { createClient } from "saltmine";
    const options = { baseUrl: ${JSON.stringify(server.baseUrl)}, appId: "${DEMO_APP_ID}", origin: "http://127.0.0.1" };
    const client = createClient({ ...options, workers: 8 });
    const headers = await Promise.all(Array.from({ length: 40 }, () => client.challengeHeaders()));
    client.dispose();
    console.log(new Set(headers.map((own) => own["X-Inkeep-Challenge-Solution"])).size);`,
  );
  assert.equal(stdout.trim(), "40");
  assert.equal(stderr, "");
});

test("Node: a program in the command line, as a module", async () => {
  const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "--eval", PROGRAM]);
  assert.equal(stdout.trim(), EXPECTED, stderr);
  const keys = `
    import { solve } from "saltmine";
    const { backend } = await solve(${JSON.stringify(KEY_CHALLENGE)});
    console.log(backend.engine, backend.thread);`;
  for (const flags of [["--input-type=module"], ["--input-type", "module", "--max-old-space-size=300"]]) {
    const { stdout, stderr } = await run(process.execPath, [...flags, "-e", keys]);
    assert.equal(stdout.trim(), "simd128 worker", stderr);
  }
});

for (const [name, args] of [
  ["deno", ["run", "--allow-all", "--node-modules-dir=manual"]],
  ["bun", ["run"]],
]) {
  test(`${name}: the same`, async () => {
    const script = join(folder, `${name}.mjs`);
    await writeFile(script, PROGRAM);
    const { stdout, stderr } = await run(join(root, "node_modules", ".bin", name), [...args, script]);
    assert.equal(stdout.trim(), EXPECTED, stderr);
  });
}

/** Runs a program in the installed project. */
function run(name, args) {
  return new Promise((resolve) => {
    execFile(name, args, { cwd: folder, timeout: 60_000 }, (_failed, stdout, stderr) =>
      resolve({ stdout, stderr }),
    );
  });
}

const ENTRY_POINTS = ["saltmine", "saltmine/altcha-lib"];

describe("the import does nothing and does not throw", () => {
  test("where a server renders: no window, no document, no storage", async () => {
    const { stdout, stderr, ms } = await runNode(
      folder,
      `
      for (const name of ["window", "document", "localStorage"]) if (name in globalThis) delete globalThis[name];
      const before = Reflect.ownKeys(globalThis).length;
      const found = [];
      for (const entryPoint of ${JSON.stringify(ENTRY_POINTS)}) found.push(...Object.keys(await import(entryPoint)));
      const { createClient } = await import("saltmine");
      createClient({ baseUrl: "https://api.example.com", appId: "app_1" });
      console.log(Reflect.ownKeys(globalThis).length - before, process.getActiveResourcesInfo().filter((name) => /Timeout|Worker/.test(name)).length, found.join());`,
    );
    assert.equal(
      stdout.trim(),
      "0 0 ERROR_CODES,SaltmineError,VERSION,createClient,solve,solveChallenge,solveChallengeWorkers",
      stderr,
    );
    assert.ok(ms < 5_000);
  });

  for (const entryPoint of ["node.js", "index.js", "service-worker.js"]) {
    test(`in jsdom, by ${entryPoint}: there is neither Worker nor fetch, and a session fails with words`, async (t) => {
      const dom = new JSDOM("<!doctype html>", { url: "https://docs.example.com/" });
      const { window } = dom;
      t.after(() => window.close());
      const borrowed = ["window", "document", "localStorage", "location", "origin"];
      const before = Object.fromEntries(
        borrowed.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]),
      );
      t.after(() => {
        for (const name of borrowed) {
          if (before[name]) Object.defineProperty(globalThis, name, before[name]);
          else delete globalThis[name];
        }
      });
      for (const name of borrowed)
        Object.defineProperty(globalThis, name, {
          value: name === "window" ? window : window[name],
          configurable: true,
        });
      let listeners = 0;
      const add = window.document.addEventListener;
      window.document.addEventListener = (...args) => {
        listeners += 1;
        add.apply(window.document, args);
      };
      const { createClient } = await import(`file://${folder}/node_modules/saltmine/dist/${entryPoint}`);
      const client = createClient({ baseUrl: "http://127.0.0.1:9", appId: "app_1", timeoutMs: 200 });
      assert.equal(listeners, 0);
      const { code } = await client.session().catch((error) => error);
      assert.ok(["network", "engine_unavailable"].includes(code), code);
      client.dispose();
    });
  }
});
