/** `dispose()` at every stage: pending calls fail with `disposed`, and nothing continues to run. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { workersGone } from "../support/browser.mjs";
import { eventsOf, until } from "../support/client-pages.mjs";
import { faults, instead } from "../support/fault-proxy.mjs";
import {
  assertEnds,
  assertLeavesNothing,
  begin,
  DEEP,
  deepChallenge,
  ending,
  setUp,
  SLACK_MS,
  startStage,
  stateOf,
} from "./stage.mjs";

const stage = await startStage();
const withoutWorkers = await startStage({
  headers: { "content-security-policy": "worker-src 'none'" },
});
after(async () => {
  await stage.close();
  await withoutWorkers.close();
});

/** A pending call fails at once; the limit allows for a busy machine. */
const AT_ONCE_MS = 3_000;

/** Resolves to the number of events until then. */
const dispose = (page) =>
  page.evaluate(() => {
    const { length } = events;
    client.dispose();
    return length;
  });

/** The moment, the request that is held, and the state or request to wait for. */
const STAGES = [
  ["while the engine starts", undefined, "starting"],
  ["while the challenge is asked for", "challenge", "challenge"],
  ["in mid-search", undefined, "solving"],
  ["before the session is asked for, by its preflight", "session preflight", "session"],
  ["while the session is asked for", "session", "session"],
];

for (const [where, on] of [
  ["worker", stage],
  ["page", withoutWorkers],
])
  describe(`with the engine on a ${where}'s thread`, { concurrency: 3 }, () => {
    for (const [when, held, state] of STAGES)
      for (const how of ["from outside", "by the listener of that very event"])
        test(`${when}, ${how}: disposed`, async (t) => {
          const { proxy, page, complaints } = await setUp(t, on, { maxNumber: 2 * DEEP });
          if (held) proxy.break(held, faults.silence);
          else proxy.break("challenge", instead(deepChallenge(DEEP)));
          let told;
          if (how === "from outside") {
            const call = begin(page);
            await until("the stage", async () =>
              held
                ? proxy.asked.includes(held)
                : (await eventsOf(page, "state")).some((event) => event.state === state),
            );
            told = await dispose(page);
            assertEnds(await call.end, "disposed", SLACK_MS);
          } else {
            await page.evaluate((state) => {
              const { push } = events;
              events.push = (event) => {
                push.call(events, event);
                if (event.state === state) client.dispose();
              };
            }, state);
            assertEnds(await ending(page), "disposed", SLACK_MS);
            told = await page.evaluate(
              (state) => events.findIndex((event) => event.state === state) + 1,
              state,
            );
          }
          assert.equal((await ending(page)).error.code, "disposed");
          const after = await page.evaluate((told) => events.slice(told), told);
          assert.deepEqual(after, [], "no event after dispose()");
          await assertLeavesNothing(page, complaints.filter(isOurs));
        });

    test("while it waits for a repeat: disposed, and nothing more is asked", async (t) => {
      const { proxy, page, complaints } = await setUp(t, on);
      proxy.break("challenge", faults.cutAfterRequest);
      const call = begin(page);
      await until("the wait", async () => (await stateOf(page)) === "waiting");
      await dispose(page);
      assertEnds(await call.end, "disposed", AT_ONCE_MS + SLACK_MS);
      await assertLeavesNothing(page, complaints.filter(isOurs));
    });

    test("when it is ready, by the listener: the token is still the caller's", async (t) => {
      const { page, complaints } = await setUp(t, on);
      await page.evaluate(() => {
        const { push } = events;
        events.push = (event) => {
          push.call(events, event);
          if (event.type === "ready") client.dispose();
        };
      });
      assertEnds(await ending(page), "token", SLACK_MS);
      await assertLeavesNothing(page, complaints.filter(isOurs));
    });
  });

/** The browser itself reports a policy that forbids workers. */
const isOurs = (text) => !/violates the following Content Security Policy/.test(text);

describe("other calls", { concurrency: 3 }, () => {
  for (const method of ["session", "headers", "challengeHeaders", "refresh", "fetch"])
    test(`${method}, at once after the call: disposed`, async (t) => {
      const { page, complaints } = await setUp(t, stage, { challenge: "every-request" });
      const code = await page.evaluate((method) => {
        const asking = method === "fetch" ? client.fetch("/run/v1/conversations") : client[method]();
        client.dispose();
        return asking.catch(({ code }) => code);
      }, method);
      assert.equal(code, "disposed");
      await assertLeavesNothing(page, complaints);
    });

  for (const method of ["challengeHeaders", "headers", "refresh"])
    test(`${method}, in mid-search: disposed`, async (t) => {
      const { proxy, page, complaints } = await setUp(t, stage, {
        challenge: "every-request",
        maxNumber: 2 * DEEP,
      });
      assertEnds(await ending(page), "token", SLACK_MS);
      proxy.break("challenge", instead(deepChallenge(DEEP)));
      const asked = proxy.asked.length;
      const call = begin(page, method);
      await until("the challenge", () => proxy.asked.length > asked);
      await dispose(page);
      assertEnds(await call.end, "disposed", SLACK_MS);
      await assertLeavesNothing(page, complaints);
    });
});

describe("client.fetch", { concurrency: 3 }, () => {
  for (const held of ["challenge", "session preflight", "session", "run preflight", "run"])
    test(`while the ${held} is awaited: disposed`, async (t) => {
      const { proxy, page, complaints } = await setUp(t, stage);
      proxy.break(held, faults.silence);
      const call = begin(page, "fetch", "/run/v1/conversations");
      await until("the request", () => proxy.asked.includes(held));
      const began = performance.now();
      await dispose(page);
      const end = await Promise.race([
        call.end,
        new Promise((resolve) => setTimeout(resolve, 10_000, { hangs: true })),
      ]);
      assertEnds({ ...end, ms: performance.now() - began }, "disposed", AT_ONCE_MS);
      await assertLeavesNothing(page, complaints);
    });

  test("in the middle of the answer's body: the answer is the caller's, to its end", async (t) => {
    const { proxy, page, complaints } = await setUp(t, stage);
    assertEnds(await ending(page), "token", SLACK_MS);
    proxy.break("run", faults.pauseInBody, 1);
    const status = await page.evaluate(async () => {
      globalThis.answer = await client.fetch("/run/v1/conversations");
      client.dispose();
      return answer.status;
    });
    assert.equal(status, 200);
    await workersGone(page, 4_500);
    assert.ok((await page.evaluate(() => answer.json())).data);
    await assertLeavesNothing(page, complaints);
  });
});
