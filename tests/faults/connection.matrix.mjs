/** A connection that breaks, stalls or sends wrong data, at each stage of each request. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { faults, late } from "../support/fault-proxy.mjs";
import {
  assertEnds,
  assertLeavesNothing,
  ending,
  REPEATS_MS,
  setUp,
  SLACK_MS,
  startStage,
} from "./stage.mjs";

const stage = await startStage();
after(stage.close);

/** Long enough for a busy machine, short enough for rows that wait for it four times. */
const TIMEOUT_MS = 3_000;
const MAX_TRIES = 4;
const LIMITS_MS = {
  token: SLACK_MS + TIMEOUT_MS + 500,
  network: SLACK_MS + REPEATS_MS,
  timeout: SLACK_MS + REPEATS_MS + MAX_TRIES * TIMEOUT_MS,
  response_malformed: SLACK_MS,
};

/** `[what happens, the fault, what it is as long as it lasts]`; those that matter to a preflight, which has no body. */
const OF_A_HEAD = [
  ["cut after the request's head", faults.cutAfterRequest, "network"],
  ["cut when the server has answered, before the answer", faults.cutBeforeAnswer, "network"],
  ["cut in the answer's head", faults.cutInHead, "network"],
  ["two lengths", faults.twoLengths, "network"],
  ["no HTTP", faults.noHttp, "network"],
  ["no answer", faults.silence, "timeout"],
  ["the answer 30 s late", late(30_000), "timeout"],
];
const OF_A_BODY = [
  ["cut after the answer's head", faults.cutAfterHead, "network"],
  ["cut in the middle of the body", faults.cutInBody, "network"],
  ["a length that is too long", faults.lengthTooLong, "network"],
  ["a body that is not compressed as it says", faults.notCompressed, "network"],
  ["half a body, then silence", faults.stallInBody, "timeout"],
  ["half a body as if it were all", faults.halfIsAll, "response_malformed"],
  ["a length that is too short", faults.lengthTooShort, "response_malformed"],
  ["bytes that say nothing", faults.bytes, "response_malformed"],
];
/** By request: its faults, and the request whose response was the last one before its connection is made. */
const ROUTES = {
  challenge: [[...OF_A_HEAD, ...OF_A_BODY], undefined],
  "session preflight": [OF_A_HEAD, "challenge"],
  session: [[...OF_A_HEAD, ...OF_A_BODY], "session preflight"],
};

const options = (code) => (code === "timeout" ? { timeoutMs: TIMEOUT_MS } : {});

// Together, since most of it is waiting; the longest first.
describe("with the default time limit of 15 s", { concurrency: 3 }, () => {
  test("every challenge 30 s late: timeout after two requests, 30 s after the call", async (t) => {
    const { proxy, page, complaints } = await setUp(t, stage);
    proxy.break("challenge", late(30_000));
    const end = await ending(page);
    assertEnds(end, "timeout", 30_000 + SLACK_MS);
    assert.ok(end.ms > 29_500, `${end.ms} ms`);
    assert.deepEqual(
      proxy.asked.filter((name) => name !== "ahead"),
      ["challenge", "challenge"],
    );
    await assertLeavesNothing(page, complaints);
  });

  test("one session 30 s late: a token from the second request", async (t) => {
    const { proxy, page, complaints } = await setUp(t, stage);
    proxy.break("session", late(30_000), 1);
    assertEnds(await ending(page), "token", 15_000 + 500 + SLACK_MS);
    await assertLeavesNothing(page, complaints);
  });

  test("a challenge 30 s late for a client that waits longer: a token, from one request", async (t) => {
    const { proxy, page, complaints } = await setUp(t, stage, { timeoutMs: 40_000 });
    proxy.break("challenge", late(30_000), 1);
    assertEnds(await ending(page), "token", 30_000 + SLACK_MS);
    assert.equal(proxy.asked.filter((name) => name === "challenge").length, 1);
    await assertLeavesNothing(page, complaints);
  });
});

for (const [route, [rows, before]] of Object.entries(ROUTES)) {
  describe(`the ${route}`, { concurrency: 4 }, () => {
    for (const [what, fault, code] of rows) {
      // An answer that came whole, but wrong, is not asked for again.
      const once = code === "response_malformed" ? code : "token";
      test(`${what}, always: ${code}; once: ${once}`, async (t) => {
        const { proxy, page, complaints } = await setUp(t, stage, options(code));
        proxy.break(route, fault);
        assertEnds(await ending(page), code, LIMITS_MS[code]);
        const tries = proxy.asked.filter((name) => name === route).length;
        assert.equal(tries, once === "token" ? MAX_TRIES : 1);
        proxy.break(route, fault, 1);
        assertEnds(await ending(page), once, LIMITS_MS[once]);
        assert.ok(proxy.asked.filter((name) => name === route).length > tries);
        assertEnds(await ending(page), "token", SLACK_MS);
        await assertLeavesNothing(page, complaints);
      });
    }

    // The preflight that is sent ahead has a connection too, which is made with the challenge's and waits.
    const times = before === undefined ? 2 : 1;

    test("cut on connect, once: token", async (t) => {
      const { proxy, page, complaints } = await setUp(t, stage);
      proxy.break("ahead", faults.silence);
      proxy.cut(before, times);
      assertEnds(await ending(page), "token", LIMITS_MS.token);
      assert.equal(proxy.asked.filter((name) => name === "cut").length, times);
      await assertLeavesNothing(page, complaints);
    });

    test("cut on connect, always: network", async (t) => {
      const { proxy, page, complaints } = await setUp(t, stage);
      proxy.break("ahead", faults.silence);
      proxy.cut(before);
      assertEnds(await ending(page), "network", LIMITS_MS.network);
      assert.ok(proxy.asked.includes("cut") && !proxy.asked.includes(route), proxy.asked.join());
      proxy.mend();
      assertEnds(await ending(page), "token", SLACK_MS);
      await assertLeavesNothing(page, complaints);
    });
  });
}

const CHAT = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ messages: [{ role: "user", content: "Ahoy" }] }),
};
const chat = (page) => ending(page, "fetch", "/run/api/chat", CHAT);

/** The answer is the caller's, as `fetch` gives it: its own error, and nothing is sent twice. */
describe("client.fetch", { concurrency: 4 }, () => {
  async function assertBreaks(t, breakIt, runs) {
    const { proxy, page, complaints } = await setUp(t, stage);
    const { session } = await ending(page);
    breakIt(proxy);
    const { error, ms } = await chat(page);
    assert.equal(error?.name, "TypeError", JSON.stringify(error));
    assert.ok(ms < SLACK_MS, `it took ${ms} ms`);
    assert.equal(proxy.asked.filter((name) => name === "run").length, runs);
    proxy.mend();
    assert.equal((await chat(page)).status, 200);
    assert.equal((await ending(page)).session.token, session.token);
    await assertLeavesNothing(page, complaints);
  }

  for (const [route, rows, runs] of [
    ["run preflight", OF_A_HEAD, 0],
    ["run", [...OF_A_HEAD, ...OF_A_BODY], 1],
  ])
    for (const [what, fault, code] of rows)
      if (code === "network")
        test(`${route}, ${what}: a TypeError, and nothing is sent again`, (t) =>
          assertBreaks(t, (proxy) => proxy.break(route, fault, 1), runs));

  for (const [route, before] of [
    ["run preflight", "session"],
    ["run", "run preflight"],
  ])
    test(`${route}, cut on connect: a TypeError`, (t) => assertBreaks(t, (proxy) => proxy.cut(before), 0));

  for (const [what, fault] of [
    ["30 s late", late(30_000)],
    ["half a body, then silence", faults.stallInBody],
  ])
    test(`${what}: until the caller's own time limit`, async (t) => {
      const { proxy, page, complaints } = await setUp(t, stage);
      await ending(page);
      proxy.break("run", fault, 1);
      const { name, ms } = await page.evaluate(async (chat) => {
        const began = performance.now();
        const signal = AbortSignal.timeout(1_000);
        const asking = client.fetch("/run/api/chat", { ...chat, signal });
        const name = await asking.then((answer) => answer.text()).catch(({ name }) => name);
        return { name, ms: performance.now() - began };
      }, CHAT);
      assert.equal(name, "TimeoutError");
      assert.ok(ms < 1_000 + SLACK_MS, `it took ${ms} ms`);
      assert.equal((await chat(page)).status, 200);
      await assertLeavesNothing(page, complaints);
    });
});
