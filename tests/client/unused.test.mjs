/**
 * A client that is not used for a year, which the test lets pass. It has a process of its own, since the timers that it stops
 * are also those of Node's `fetch`.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { APP_ID } from "../support/service.mjs";
import { installTarball } from "../support/tarball.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const { entryPoints, remove } = await installTarball();
const { createClient } = await import(entryPoints.node);
after(remove);

const DAY_MS = 86_400_000;

/** Waits for I/O without a timer, since the test has stopped them. */
async function untilTrue(isTrue, limitMs) {
  const deadline = performance.now() + limitMs;
  do await new Promise((resolve) => setImmediate(resolve));
  while (!isTrue() && performance.now() < deadline);
}

test(
  "a client that lives for a year and is not used renews once, and not for ever",
  { timeout: 15_000 },
  async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.parse("2031-02-03T04:05:06Z") });
    const service = await startTimedService();
    let state;
    const onEvent = (event) => event.type === "state" && ({ state } = event);
    const client = createClient({ baseUrl: service.baseUrl, appId: APP_ID, onEvent });
    t.after(async () => {
      client.dispose();
      await service.close();
    });
    /** Lets days pass, and a renewal end before the next day begins: its time limits are timers too. */
    const pass = async (days) => {
      for (let day = 1; day <= days; day += 1) {
        t.mock.timers.tick(DAY_MS);
        await untilTrue(() => state === "ready", 5_000);
      }
    };
    const asked = () => service.asked().join();
    const one = "challenge,session";
    const first = await client.session();
    await pass(28);
    assert.equal(asked(), one);
    await pass(337);
    assert.equal(asked(), [one, one].join());
    // A call renews the expired session. Because of this use the client renews once more by itself.
    const { token } = await client.session();
    assert.notEqual(token, first.token);
    assert.equal(asked(), [one, one, one].join());
    await pass(100);
    assert.equal(asked(), [one, one, one, one].join());
  },
);
