/** A server whose disk is full: load balancers see it, and it is ready again as soon as there is space. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { smallDisk } from "../load/disk.mjs";
import { startServer } from "../support/server.mjs";

const DISK_MB = 64;
/** The result of a check is reused for a second. */
const REUSE_MS = 1100;

test("a server is not ready while its disk is full", async (t) => {
  const disk = await smallDisk(DISK_MB);
  if (!disk) return t.skip("only root can mount a small disk");
  t.after(disk.unmount);
  const server = await startServer({ DATABASE_URL: `sqlite://${join(disk.folder, "saltmine.db")}` });
  t.after(server.stop);
  const status = async () => {
    await new Promise((resolve) => setTimeout(resolve, REUSE_MS));
    return (await fetch(`${server.baseUrl}/readyz`)).status;
  };
  assert.equal(await status(), 200);
  await disk.fill();
  assert.equal(await status(), 503);
  assert.equal((await fetch(`${server.baseUrl}/healthz`)).status, 200, "a restart would not help");
  await disk.free();
  assert.equal(await status(), 200);
});
