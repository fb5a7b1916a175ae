/** Engines that die, and machines that have no memory for one. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { eventsOf, until } from "../support/client-pages.mjs";
import { faults, instead, late } from "../support/fault-proxy.mjs";
import { root } from "../support/paths.mjs";
import {
  assertEnds,
  assertLeavesNothing,
  begin,
  deepChallenge,
  ending,
  setUp,
  SLACK_MS,
  startStage,
} from "./stage.mjs";

const stage = await startStage();
after(stage.close);

/** A busy engine that is silent is given up after so long at the latest: `worker-client.ts`. */
const SILENT_MS = 15_000;
/** A search that takes seconds. */
const DEEP = 40_000_000;
const DEEP_MS = 20_000;

/** How an engine dies: from inside, since a browser offers no other way to end one worker of a page. */
const DEATHS = {
  "without a word": () => self.close(),
  "with an error": () => {
    setTimeout(() => {
      throw new Error("The worker's end.");
    });
  },
};

/** Searches under way or over. */
const searches = async (page) =>
  (await eventsOf(page, "state")).filter(({ state }) => state === "solving").length;

/** Kills what searches now; the page's clock runs ahead until that is noticed, the workers' does not. */
async function kill(page, death, call) {
  const before = await searches(page);
  await page.workers().at(-1).evaluate(death);
  await until(
    "another search, or the end",
    async () => {
      if (call.over() || (await searches(page)) > before) return true;
      // Not while one starts: its time is limited, too.
      if ((await eventsOf(page, "state")).at(-1).state !== "starting") await page.clock.runFor(1_000);
      return false;
    },
    SILENT_MS + SLACK_MS,
  );
}

describe("a worker that is killed in mid-search", { concurrency: 2 }, () => {
  for (const [how, death] of Object.entries(DEATHS))
    test(`five times in a row, ${how}: an error after three engines, then a token`, async (t) => {
      const { proxy, page, complaints } = await setUp(
        t,
        stage,
        { maxNumber: 2 * DEEP },
        { before: (context) => context.clock.install() },
      );
      proxy.break("challenge", instead(deepChallenge(DEEP)));
      let kills = 0;
      const killedAt = async (call, times) => {
        for (const most = kills + times; kills < most; kills += 1) {
          const begun = kills + 1;
          await until("the search", async () => (await searches(page)) >= begun, DEEP_MS);
          await kill(page, death, call);
        }
      };
      const first = begin(page);
      await killedAt(first, 3);
      assertEnds(await first.end, "engine_failed", 3 * (SILENT_MS + SLACK_MS));
      const second = begin(page);
      await killedAt(second, 2);
      assertEnds(await second.end, "token", 2 * (SILENT_MS + SLACK_MS) + DEEP_MS);
      assert.equal(await searches(page), 6);
      await assertLeavesNothing(page, complaints);
    });

  test("five times, of two that share the search: a token or an error, and then a token", async (t) => {
    const { proxy, page, complaints } = await setUp(
      t,
      stage,
      { maxNumber: 2 * DEEP, workers: 2 },
      { before: (context) => context.clock.install() },
    );
    proxy.break("challenge", instead(deepChallenge(DEEP)));
    const call = begin(page);
    let kills = 0;
    await until(
      "five kills, or the end",
      async () => {
        if (call.over() || kills === 5) return true;
        if (page.workers().length === 2) {
          // A worker that is being terminated cannot receive the command.
          await page
            .workers()
            [kills % 2].evaluate(DEATHS["without a word"])
            .catch(() => {});
          kills += 1;
        }
        // Not before there are two: the jump takes time in which the first could end the search by itself.
        else if (kills > 0) await page.clock.runFor(1_000);
        return false;
      },
      4 * SILENT_MS,
    );
    assert.ok(kills > 0, "there was something to kill");
    await until(
      "the end",
      async () => {
        if (!call.over()) await page.clock.runFor(1_000);
        return call.over();
      },
      4 * SILENT_MS,
    );
    const { error, session, ms } = await call.end;
    assertEnds({ error, session, ms }, session ? "token" : "engine_failed", 8 * SILENT_MS);
    assertEnds(await ending(page), "token", DEEP_MS);
    await assertLeavesNothing(page, complaints);
  });
});

/** In real time: the page waits as long as it says. */
describe("a worker that is killed", { concurrency: 4 }, () => {
  test("while it rests: the next call has another, after 15 s at most", async (t) => {
    const { page, complaints } = await setUp(t, stage);
    assertEnds(await ending(page), "token", SLACK_MS);
    await page.workers()[0].evaluate(DEATHS["without a word"]);
    await page.evaluate(() => client.signOut());
    assertEnds(await ending(page), "token", SILENT_MS + SLACK_MS);
    await assertLeavesNothing(page, complaints);
  });

  // The page requests the challenge, and hands it on once it has come.
  for (const [route, fault] of [
    ["challenge", late(2_000)],
    ["session", faults.silence],
  ])
    for (const [how, death, limitMs] of [
      ["without a word", DEATHS["without a word"], SILENT_MS],
      ["with an error", DEATHS["with an error"], 0],
    ])
      test(`${how}, while it waits for the ${route}: a token from another`, async (t) => {
        const { proxy, page, complaints } = await setUp(t, stage);
        proxy.break(route, fault, 1);
        const call = begin(page);
        await until("the request", () => proxy.asked.includes(route) && page.workers().length > 0);
        await page.workers()[0].evaluate(death);
        assertEnds(await call.end, "token", limitMs + SLACK_MS);
        await assertLeavesNothing(page, complaints);
      });
});

/** Returns the backend that the page reports. */
const backendOf = async (page) => (await eventsOf(page, "ready")).at(-1).backend;

describe("memory that is refused", () => {
  for (const [what, prelude, reason] of [
    [
      "for an instance",
      `WebAssembly.instantiate = async () => { throw new RangeError("Out of memory: Cannot allocate Wasm memory for new instance"); };`,
      /^simd128: .*Out of memory.*; scalar: .*Out of memory/,
    ],
    [
      "for compiled code",
      `WebAssembly.compile = async () => { throw new RangeError("Out of memory"); };`,
      /^simd128: .*Out of memory.*; scalar: .*Out of memory/,
    ],
  ])
    test(`${what}: the engine in JavaScript, with the reason`, async (t) => {
      // Not by a route of Playwright's, under which a worker's requests get no preflight.
      const body = `${prelude}\n${await readFile(join(root, "pkg", "dist", "worker.js"), "utf8")}`;
      const poor = await startStage({
        answer: (path) => path === "/saltmine/worker.js" && { type: "text/javascript", body },
      });
      t.after(poor.close);
      const { page, complaints } = await setUp(t, poor);
      assertEnds(await ending(page), "token", SLACK_MS);
      const { reason: told, ...backend } = await backendOf(page);
      assert.deepEqual(backend, { engine: "javascript", thread: "worker" });
      assert.match(told, reason);
      await assertLeavesNothing(page, complaints);
    });

  test("no engine at all: an error with the reason of each engine", async (t) => {
    const none = `self.ArrayBuffer = class { constructor() { throw new RangeError("Array buffer allocation failed"); } };
      WebAssembly.instantiate = async () => { throw new RangeError("Out of memory"); };`;
    const before = (context) =>
      context.route(/\/saltmine\/(worker|page-engine)[\w-]*\.js$/, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `${none}\n${await response.text()}` });
      });
    const { page, complaints } = await setUp(t, stage, {}, { before });
    const end = await ending(page);
    assertEnds(end, "engine_unavailable", SLACK_MS);
    assert.match(end.error.message, /Out of memory.*Array buffer allocation failed/);
    await assertLeavesNothing(page, complaints);
  });

  /** The browser itself refuses: the modules begin with one page of memory and need two. */
  for (const [policy, thread] of [
    ["worker-src 'self'", "worker"],
    ["worker-src 'none'", "page"],
  ])
    test(`by the browser, under ${policy}: the engine in JavaScript on the ${thread}`, async (t) => {
      const poor = await startStage({
        flags: ["--js-flags=--wasm-max-mem-pages=1"],
        headers: { "content-security-policy": policy },
      });
      t.after(poor.close);
      const { page, complaints } = await setUp(t, poor);
      assertEnds(await ending(page), "token", SLACK_MS);
      const { reason, ...backend } = await backendOf(page);
      assert.deepEqual(backend, { engine: "javascript", thread });
      assert.match(reason, /simd128: .*memory.*; scalar: .*memory/i);
      // The browser itself reports the policy.
      const ours = complaints.filter((text) => !/violates the following Content Security Policy/.test(text));
      await assertLeavesNothing(page, ours);
    });
});
