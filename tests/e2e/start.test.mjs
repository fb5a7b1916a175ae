/** `npm start`, as the README describes it: it builds what is missing, and serves the demo page and the docs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { root } from "../support/paths.mjs";

const state = await mkdtemp(join(tmpdir(), "saltmine-start-"));
after(() => rm(state, { recursive: true, force: true }));

test("npm start serves the demo page and the documentation", async (t) => {
  const child = spawn("npm", ["start"], {
    cwd: root,
    // Neither the port nor the database of a server that runs already. The rest is as it is, variables of tests included.
    env: {
      ...process.env,
      PORT: "0",
      SALTMINE_STATE_DIR: state,
      DATABASE_URL: `sqlite://${join(state, "saltmine.db")}`,
      SALTMINE_DRAIN_SECONDS: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
    // Its processes end together, whatever npm does with signals.
    detached: true,
  });
  const log = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => log.push(line));
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  t.after(async () => {
    process.kill(-child.pid, "SIGTERM");
    await ended;
  });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = /^listening on (\S+)$/.exec(line);
      if (address) resolve(address[1]);
    });
    void ended.then(() => reject(new Error(`npm start ended:\n${log.join("\n")}`)));
  });
  const [page, docs, challenge] = await Promise.all(
    ["/", "/docs/", "/run/auth/challenge?appId=app_demo000000000000"].map((path) =>
      fetch(new URL(path, url), { headers: { Origin: url } }),
    ),
  );
  assert.match(await page.text(), /<title>[^<]*saltmine/i);
  assert.match(await docs.text(), /<title>[^<]*saltmine/i);
  assert.ok((await challenge.json()).parameters, "a challenge of version 2");
  assert.ok(
    log.some((line) => /^\[\d+\/\d+\] building the npm package/.test(line)),
    "it tells its steps",
  );
});
