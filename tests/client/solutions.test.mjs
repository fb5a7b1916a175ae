/** Solutions for a caller's own requests: the next one is there before it is asked for, and good. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  call,
  makeClient,
  openTab,
  settle,
  setVisibility,
  startPages,
  until,
} from "../support/client-pages.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { makeChallenge, problem, solutionOf } from "../support/service.mjs";
import { startTimedService } from "../support/timed-service.mjs";

const MINUTE_MS = 60_000;
const HEADER = "X-Inkeep-Challenge-Solution";
const pages = await startPages();
after(pages.close);

/** The members of a solution, out of its envelope. */
const readSolution = (header) =>
  JSON.parse(Buffer.from(solutionOf({ headers: { [HEADER.toLowerCase()]: header } }), "base64"));

/** A client of a service of the page's own time; `pass(ms)` turns both clocks. */
async function setUp(t, options = {}, clientOptions = {}) {
  const start = Date.now();
  let elapsedMs = 2 * MINUTE_MS;
  const service = await startTimedService({ now: () => start + elapsedMs, ...options });
  const context = await pages.browser.newContext();
  t.after(async () => {
    await context.close();
    await service.close();
  });
  await context.clock.install({ time: start });
  const page = await openTab(context, pages.site.origin);
  await page.clock.pauseAt(start + elapsedMs);
  await makeClient(page, { baseUrl: service.baseUrl, ...clientOptions });
  const pass = async (ms) => {
    elapsedMs += ms;
    await page.clock.runFor(ms);
  };
  const asked = (count) => until(`${count} requests`, () => service.requests.length >= count);
  const take = async () => (await call(page, "challengeHeaders"))[HEADER];
  return { service, page, pass, asked, take };
}

describe("the next solution", () => {
  test("is prepared as soon as one is used: the second call waits for no server", async (t) => {
    const { service, asked, take } = await setUp(t);
    const first = await take();
    await asked(2);
    await settle();
    assert.equal(service.requests.length, 2, "one ahead, and no more");
    // Whatever the server does now, the second is there.
    service.routes.challenge = async () => {};
    const second = await take();
    assert.ok(second);
    assert.notEqual(second, first);
  });

  test("is every caller's own, however many ask at the same time", async (t) => {
    const { take } = await setUp(t);
    const taken = await Promise.all([take(), take(), take(), take()]);
    assert.equal(new Set(taken).size, 4);
    assert.ok(taken.every(Boolean));
  });

  test("is every caller's own, by two workers where the page allows two", async (t) => {
    const { service, page } = await setUp(t, {}, { workers: 2 });
    const { challenge } = service.routes;
    let open = 0;
    let most = 0;
    service.routes.challenge = async () => {
      most = Math.max(most, (open += 1));
      await settle(30);
      open -= 1;
      return challenge();
    };
    let workers = 0;
    page.on("worker", () => (workers += 1));
    const headers = await page.evaluate(() =>
      Promise.all(Array.from({ length: 12 }, () => client.challengeHeaders())),
    );
    assert.equal(new Set(headers.map((own) => own[HEADER])).size, 12);
    assert.equal(most, 2, "one does not wait for another more than it must");
    assert.equal(workers, 2);
  });

  test("of a caller who comes later does not wait for an answer that is slow, if there is a worker", async (t) => {
    const { service, asked, take } = await setUp(t, {}, { workers: 2 });
    const { challenge } = service.routes;
    service.routes.challenge = async () => {};
    // Its page is closed with it.
    take().catch(() => {});
    await asked(1);
    service.routes.challenge = challenge;
    assert.ok(await take());
  });

  test("of a hard challenge is searched by every free worker, though the page's clock shows no time; then they are free again", async (t) => {
    const { service, page, take } = await setUp(t, {}, { workers: 2, maxNumber: 100_000_000 });
    const { challenge } = service.routes;
    service.routes.challenge = async () => {
      service.routes.challenge = challenge;
      const expires = new Date(service.time.now() + 5 * MINUTE_MS);
      return { body: await makeChallenge({ maxNumber: 100_000_000, number: 15_000_000, expires }) };
    };
    let workers = 0;
    page.on("worker", () => (workers += 1));
    assert.ok(await take());
    assert.equal(workers, 2);
    const taken = await Promise.all([take(), take(), take(), take()]);
    assert.ok(taken.every(Boolean));
    assert.equal(workers, 2);
  });

  test("is not made for those who gave up while they waited: one is kept, of all", async (t) => {
    const { service, page, asked, take } = await setUp(t, {}, { workers: 1 });
    const { challenge } = service.routes;
    let answer;
    service.routes.challenge = async () => {
      await new Promise((resolve) => (answer = resolve));
      return challenge();
    };
    const codes = page.evaluate(() => {
      globalThis.controller = new AbortController();
      const { signal } = controller;
      const calls = Array.from({ length: 5 }, () => client.challengeHeaders({ signal }));
      return Promise.all(calls.map((asking) => asking.catch(({ name }) => name)));
    });
    await until("the request", () => answer);
    await page.evaluate(() => controller.abort());
    assert.deepEqual(await codes, Array(5).fill("AbortError"));
    service.routes.challenge = challenge;
    answer();
    assert.ok(await take());
    await asked(2);
    await settle();
    assert.equal(service.requests.length, 2, "the one that was kept, and the next");
  });

  test("is thrown away half a minute before its end, and replaced", async (t) => {
    const { service, pass, asked, take } = await setUp(t);
    await take();
    await asked(2);
    await settle(1_000);
    await pass(4 * MINUTE_MS);
    await settle();
    assert.equal(service.requests.length, 2);
    await pass(32_000);
    await asked(3);
    service.routes.challenge = async () => {};
    const header = await take();
    const { salt } = readSolution(header);
    const leftMs = Number(/expires=(\d+)/.exec(salt)[1]) * 1000 - service.time.now();
    assert.ok(leftMs > 4 * MINUTE_MS, `${leftMs} ms are left of it`);
  });

  test("is replaced before it is given out, if the machine slept past its end", async (t) => {
    const { service, page, asked, take } = await setUp(t);
    await take();
    await asked(2);
    await settle();
    const { now } = service.time;
    service.time.now = () => now() + 280_000;
    await page.clock.setSystemTime(service.time.now());
    const { salt } = readSolution(await take());
    assert.ok(Number(/expires=(\d+)/.exec(salt)[1]) * 1000 > service.time.now() + 4 * MINUTE_MS);
  });

  test("is replaced before it is given out, if the clock was put back meanwhile", async (t) => {
    const { service, page, pass, take } = await setUp(t, {}, { workers: 1 });
    await take();
    await settle(1_000);
    await setVisibility(page, "hidden");
    await page.clock.setSystemTime(service.time.now() - 60 * MINUTE_MS);
    await pass(4.9 * MINUTE_MS);
    const { salt } = readSolution(await take());
    assert.ok(Number(/expires=(\d+)/.exec(salt)[1]) * 1000 > service.time.now() + 4 * MINUTE_MS);
  });

  test("is thrown away three times unused, and then there are no more", async (t) => {
    const { service, pass, take } = await setUp(t);
    await take();
    for (let round = 0; round < 8; round += 1) {
      await settle(1_000);
      await pass(271_000);
    }
    await settle();
    assert.equal(service.requests.length, 4);
    assert.ok(await take());
  });

  test("is not prepared from challenges that hardly live", async (t) => {
    const { service, take } = await setUp(t, { challengeMs: 20_000 });
    for (let count = 1; count <= 3; count += 1) {
      assert.ok(await take());
      await settle(100);
      assert.equal(service.requests.length, count);
    }
  });

  test("that failed is asked for again, by the next caller", async (t) => {
    const { service, asked, take } = await setUp(t);
    const { challenge } = service.routes;
    service.routes.challenge = async () => (service.requests.length === 2 ? problem(403) : challenge());
    await take();
    await asked(2);
    await settle();
    assert.ok(await take());
    await asked(4);
  });

  test("that failed fails for all who wait, and for nobody later", async (t) => {
    const { service, page, take } = await setUp(t, {}, { workers: 1 });
    const { challenge } = service.routes;
    service.routes.challenge = async () => problem(403);
    const codes = await page.evaluate(() =>
      Promise.all(Array.from({ length: 6 }, () => client.challengeHeaders().catch(({ code }) => code))),
    );
    assert.deepEqual(codes, Array(6).fill("origin_not_allowed"));
    assert.equal(service.requests.length, 1);
    service.routes.challenge = challenge;
    assert.ok(await take());
  });

  test("of a caller who gave up is the next one's", async (t) => {
    const { service, page, take } = await setUp(t);
    const { challenge } = service.routes;
    let answer;
    service.routes.challenge = async () => {
      await new Promise((resolve) => (answer = resolve));
      return challenge();
    };
    const code = page.evaluate(async () => {
      const controller = new AbortController();
      const asking = client.challengeHeaders({ signal: controller.signal });
      globalThis.giveUp = () => controller.abort();
      return asking.catch((error) => error === controller.signal.reason);
    });
    await until("the request", () => answer);
    await page.evaluate(() => giveUp());
    assert.equal(await code, true);
    const taking = take();
    await settle(100);
    service.routes.challenge = async () => {};
    answer();
    assert.ok(await taking);
  });
});

describe("nothing is prepared ahead", () => {
  const saveData = () =>
    Object.defineProperty(navigator, "connection", { value: { saveData: true }, configurable: true });
  for (const [where, frugal] of [
    ["in a hidden tab", (page) => setVisibility(page, "hidden")],
    ["where the visitor saves data", (page) => page.evaluate(saveData)],
  ]) {
    test(where, async (t) => {
      const { service, page, take } = await setUp(t);
      await frugal(page);
      assert.ok(await take());
      await settle();
      assert.equal(service.requests.length, 1);
      await page.evaluate(() => client.prefetch());
      await settle();
      assert.equal(service.requests.length, 1);
    });
  }

  test("before anything was asked for", async (t) => {
    const { service } = await setUp(t, {}, { challenge: "every-request" });
    await settle();
    assert.equal(service.requests.length, 0);
  });
});

describe("prefetch", () => {
  test("gets the session; the call that follows waits for nothing", async (t) => {
    const { service, page, asked } = await setUp(t);
    await page.evaluate(() => client.prefetch());
    await asked(2);
    assert.ok((await call(page, "session")).token);
    assert.equal(service.requests.length, 2);
  });

  test("with a solution for every request prepares that too", async (t) => {
    const { service, page, asked } = await setUp(t, {}, { challenge: "every-request" });
    await page.evaluate(() => client.prefetch());
    await asked(3);
    await settle();
    service.routes.challenge = async () => {};
    const headers = await call(page, "headers");
    assert.deepEqual(Object.keys(headers), ["Authorization", "X-Inkeep-App-Id", HEADER]);
  });

  test("that fails is silent; the next call tells", async (t) => {
    const { page, asked } = await setUp(t, { challenge: async () => problem(403) });
    await page.evaluate(() => client.prefetch());
    await asked(1);
    assert.equal((await call(page, "session")).code, "origin_not_allowed");
  });
});

describe("a solution that is there already", () => {
  test("is spent for a session that has to be renewed", async (t) => {
    const { service, page, asked, take } = await setUp(t);
    await call(page, "session");
    await take();
    await asked(4);
    await settle();
    // No other one can be had.
    service.routes.challenge = async () => {};
    assert.ok((await call(page, "refresh")).token);
    const [, { headers }] = service.requests.filter(({ name }) => name === "session");
    assert.ok(headers[HEADER.toLowerCase()]);
  });
});

describe("proof of work that is off", () => {
  test("no headers, and hardly a request", async (t) => {
    const { service, page, pass } = await setUp(t, { challenge: async () => ({ status: 404 }) });
    for (let i = 0; i < 5; i += 1) assert.deepEqual(await call(page, "challengeHeaders"), {});
    await settle();
    assert.equal(service.requests.length, 1);
    await pass(MINUTE_MS);
    assert.deepEqual(await call(page, "challengeHeaders"), {});
    assert.equal(service.requests.length, 2);
  });

  test("is asked for once a worker at most, however many ask at the same time", async (t) => {
    const { service, page } = await setUp(t, { challenge: async () => ({ status: 404 }) }, { workers: 2 });
    const headers = await page.evaluate(() =>
      Promise.all(Array.from({ length: 12 }, () => client.challengeHeaders())),
    );
    assert.deepEqual(headers, Array(12).fill({}));
    assert.ok(service.requests.length <= 2, `${service.requests.length} requests`);
  });
});

test("the reference server takes each prepared solution, once", async (t) => {
  const server = await startServer();
  const context = await pages.browser.newContext();
  t.after(async () => {
    await context.close();
    await server.stop();
  });
  const page = await openTab(context, pages.site.origin);
  await makeClient(page, { baseUrl: server.baseUrl, appId: DEMO_APP_ID });
  const answers = await page.evaluate(async (url) => {
    const spent = [];
    for (let i = 0; i < 4; i += 1) {
      const headers = await client.challengeHeaders();
      for (let time = 0; time < 2; time += 1)
        spent.push((await (await fetch(url, { method: "POST", headers })).json()).reason ?? "token");
    }
    return spent;
  }, `${server.baseUrl}/run/auth/apps/${DEMO_APP_ID}/anonymous-session`);
  assert.deepEqual(answers, Array(4).fill(["token", "pow_replayed"]).flat());
});
