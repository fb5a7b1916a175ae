/**
 * `compose.yaml` as its comment says: the containers start, one command makes the first app, and visitors get sessions.
 * Skipped where Docker does not run; `crates/server/tests/operate.rs` tests the parts there.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/paths.mjs";
import { installTarball } from "../support/tarball.mjs";

const runs = (...args) => spawnSync("docker", args, { stdio: "ignore" }).status === 0;
const skip = runs("info") && runs("compose", "version") ? false : "Docker does not run here";

test("the containers of compose.yaml give sessions", { skip, timeout: 1_200_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "saltmine-compose-"));
  const example = await readFile(join(root, "deploy", "example.env"), "utf8");
  const environment = join(folder, ".env");
  await writeFile(
    environment,
    example.replace(/^(\w+)=$/gm, (line) => line + randomBytes(32).toString("hex")),
  );

  const project = ["compose", "--project-name", "saltmine-test", "--env-file", environment];
  const compose = (...args) => execFileSync("docker", [...project, ...args], { cwd: root, encoding: "utf8" });
  t.after(async () => {
    try {
      compose("down", "--volumes");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  compose("up", "--build", "--detach", "--wait");

  const comment = await readFile(join(root, "compose.yaml"), "utf8");
  const [, command] = /^# +docker compose exec (server-1 .*)$/m.exec(comment);
  const appId = compose("exec", "--no-TTY", ...command.split(" ")).trim();
  const [, domain] = /--domain (\S+)/.exec(command);

  const { entryPoints, remove } = await installTarball();
  t.after(remove);
  const { createClient } = await import(entryPoints.node);
  // The proxy sends the requests to both instances in turn.
  for (let visit = 0; visit < 4; visit += 1) {
    const client = createClient({ baseUrl: "http://localhost:8080", appId, origin: `https://${domain}` });
    const { token } = await client.session();
    const response = await client.fetch("/run/api/chat", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: "hello" }], stream: false }),
    });
    assert.deepEqual([token.split(".").length, response.status], [3, 200]);
    client.dispose();
  }
});
