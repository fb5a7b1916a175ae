/** The search of ALTCHA version 2 in Chromium where something is missing: memory, WebAssembly, workers, a secure context. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { theirChallenge, theyVerify } from "../support/altcha-v2.mjs";
import { launchBrowser } from "../support/browser.mjs";
import { PLAIN_HOST, until } from "../support/client-pages.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";

const tarball = await installTarball();
const browser = await launchBrowser([`--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`]);
after(async () => {
  await browser.close();
  await tarball.remove();
});

/**
 * A page with the package; `policy` is its Content-Security-Policy, `prepare` runs in it first, `answer` may delay or replace
 * what the server sends.
 */
async function pageOn(t, { policy, prepare, answer, host = "127.0.0.1" } = {}) {
  const site = await serveFiles({
    folders: { "/saltmine/": tarball.dist },
    files: {
      "/": `${BLANK_PAGE}<script type="module" src="/page.js"></script>`,
      "/page.js": `import * as saltmine from "${tarball.entryPoints.web}"; globalThis.saltmine = saltmine;`,
    },
    headers: policy ? { "content-security-policy": policy } : {},
    answer,
  });
  t.after(site.close);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(site.origin.replace("127.0.0.1", host));
  await page.waitForFunction(() => "saltmine" in globalThis);
  if (prepare) await page.evaluate(prepare);
  return page;
}

/** Solves a challenge on a page, or several, at the same time and then one after the other. */
const solveIn = (page, challenge, options) =>
  page.evaluate(
    async ({ challenge, options }) => {
      const solve = (one) => saltmine.solve(one, options).catch(({ code, message }) => ({ code, message }));
      if (!Array.isArray(challenge)) return solve(challenge);
      const found = await Promise.all(challenge.map(solve));
      for (const one of challenge) found.push(await solve(one));
      return found;
    },
    { challenge, options },
  );

const solveOn = async (t, challenge, { options, ...about } = {}) =>
  solveIn(await pageOn(t, about), challenge, options);

const verified = (challenge, { counter, derivedKey }) => theyVerify(challenge, { counter, derivedKey });

/** The page's workers with the numbers `from` to `to` get no memory. */
const withoutMemory = (from, to) => `{
  const Real = Worker;
  let started = 0;
  globalThis.workerCount = () => started;
  globalThis.Worker = class extends Real {
    #number = ++started;
    postMessage(command) {
      if (command.type !== "start" || this.#number < ${from} || this.#number > ${to}) return super.postMessage(command);
      const data = { type: "failed", outOfMemory: true, reason: "Out of memory" };
      setTimeout(() => this.onmessage({ data }), 5 * this.#number);
    }
  };
}`;

describe("memory", () => {
  test("a worker that gets none leaves the search to the others", async (t) => {
    const challenge = await theirChallenge("ARGON2ID", { counter: 60, memoryCost: 1024 });
    const prepare = withoutMemory(2, 4);
    const found = await solveOn(t, challenge, { prepare, options: { workers: 4 } });
    assert.equal(found.counter, 60);
    assert.match(found.backend.reason, /Out of memory/);
    assert.ok(await verified(challenge, found));
  });

  test("when none of several gets any, one alone tries again", async (t) => {
    const challenge = await theirChallenge("SCRYPT", { counter: 60 });
    const found = await solveOn(t, challenge, { prepare: withoutMemory(1, 2), options: { workers: 2 } });
    assert.equal(found.counter, 60);
  });

  test("when not even one gets any, it is an error that says so", async (t) => {
    const challenge = await theirChallenge("SCRYPT", { counter: 60 });
    const found = await solveOn(t, challenge, { prepare: withoutMemory(1, 99), options: { workers: 4 } });
    assert.equal(found.code, "engine_unavailable");
    assert.match(found.message, /Out of memory/);
  });

  /**
   * Starts a search with the page's workers `failing` without memory, and returns the numbers of the workers that are left.
   * These workers fail `last`: when the others are ready; or first: before the others start.
   */
  async function left(t, { workers, failing, last }) {
    const page = await pageOn(t, {
      prepare: `{
        const failing = ${JSON.stringify(failing)};
        const Real = Worker;
        const ready = new Set();
        let started = 0;
        globalThis.running = new Set();
        globalThis.failed = 0;
        const isDue = (number) =>
          failing.includes(number) ? !${last} || ready.size === ${workers - failing.length} : ${last} || failed === failing.length;
        globalThis.Worker = class extends Real {
          #number = ++started;
          constructor(...about) {
            super(...about);
            running.add(this.#number);
          }
          set onmessage(handler) {
            this.report = handler;
            super.onmessage = (event) => {
              if (event.data.type === "ready") ready.add(this.#number);
              handler(event);
            };
          }
          async postMessage(command) {
            if (command.type !== "start") return super.postMessage(command);
            while (!isDue(this.#number)) await new Promise((resolve) => setTimeout(resolve, 10));
            if (!failing.includes(this.#number)) return super.postMessage(command);
            await new Promise((resolve) => setTimeout(resolve, 10 * this.#number));
            this.report({ data: { type: "failed", outOfMemory: true, reason: "Out of memory" } });
            failed += 1;
          }
          terminate() {
            running.delete(this.#number);
            super.terminate();
          }
        };
      }`,
    });
    const challenge = await theirChallenge("PBKDF2/SHA-256", { cost: 5_000, counter: 1e7 });
    await page.evaluate(
      ({ challenge, workers }) => {
        globalThis.controller = new AbortController();
        saltmine.solve(challenge, { workers, signal: controller.signal }).catch(() => {});
      },
      { challenge, workers },
    );
    await page.waitForFunction((count) => failed === count, failing.length, { polling: 20 });
    return page.evaluate(() => {
      const numbers = [...running];
      controller.abort();
      return numbers;
    });
  }

  test("several failures halve the number of workers once", async (t) => {
    assert.deepEqual(await left(t, { workers: 8, failing: [1, 2, 3], last: false }), [4, 5]);
  });

  test("workers that are ready are removed last", async (t) => {
    assert.deepEqual(await left(t, { workers: 6, failing: [2, 3], last: true }), [1, 4, 5]);
  });

  test("a real refusal: more than WebAssembly can have", async (t) => {
    const challenge = await theirChallenge("SCRYPT", { counter: 5 });
    Object.assign(challenge.parameters, { cost: 2 ** 23, memoryCost: 8 });
    const found = await solveOn(t, challenge);
    assert.equal(found.code, "engine_unavailable");
    assert.match(found.message, /memory/);
  });
});

describe("the number of workers", () => {
  const count = async (t, { deviceMemory, memoryCost = 65_536, options }) => {
    const page = await pageOn(t, {
      prepare: `{
        const { userAgent } = navigator;
        Object.defineProperty(globalThis, "navigator", {
          value: { userAgent, hardwareConcurrency: 8, deviceMemory: ${deviceMemory} },
        });
        const Real = Worker;
        globalThis.started = 0;
        globalThis.Worker = class extends Real {
          constructor(...about) {
            super(...about);
            globalThis.started += 1;
          }
        };
      }`,
    });
    const challenge = await theirChallenge("ARGON2ID", { counter: 1, memoryCost });
    assert.equal((await solveIn(page, challenge, options)).counter, 1);
    return page.evaluate(() => started);
  };

  for (const [deviceMemory, expected] of [
    [8, 4],
    [4, 2],
    [2, 1],
    [0.25, 1],
    // Firefox and Safari do not say; the value that is assumed is 4 GiB.
    [undefined, 2],
  ])
    test(`64 MiB for each key, ${deviceMemory ?? "an unknown number of"} GiB: ${expected}`, async (t) => {
      assert.equal(await count(t, { deviceMemory }), expected);
    });

  test("the option `workers` is not above what the memory allows", async (t) => {
    assert.equal(await count(t, { deviceMemory: 4, options: { workers: 6 } }), 2);
    assert.equal(await count(t, { deviceMemory: 4, memoryCost: 1024, options: { workers: 6 } }), 6);
  });

  test("with little memory for each key: one worker for each thread", async (t) => {
    assert.equal(await count(t, { deviceMemory: undefined, memoryCost: 1024 }), 8);
  });
});

describe("a worker that stops responding", () => {
  /**
   * A page whose workers report what `change(number, report, count)` returns: a report, none, or a promise of one. Worker 1
   * has `had` blocks before the others start. The page's clock runs ahead while `isDue` is true, by `most` milliseconds.
   */
  async function solveAhead(t, challenge, { workers, change, isDue, had = 1, most = Infinity }) {
    const page = await pageOn(t, {
      prepare: `{
        const change = ${change};
        const later = setTimeout;
        const Real = Worker;
        let started = 0;
        globalThis.blocks = {};
        globalThis.reports = {};
        globalThis.Worker = class extends Real {
          #number = ++started;
          set onmessage(handler) {
            let earlier;
            super.onmessage = ({ data }) => {
              const count = (reports[this.#number] ?? 0) + 1;
              reports[this.#number] = count;
              const changing = [earlier, change(this.#number, data, count)];
              earlier = Promise.all(changing).then(([, changed]) => changed && handler({ data: changed }));
            };
          }
          postMessage(command) {
            if (this.#number > 1 && (blocks[1]?.length ?? 0) < ${had})
              return void later(() => this.postMessage(command), 20);
            if (command.type === "search") (blocks[this.#number] ??= []).push(command.first);
            super.postMessage(command);
          }
        };
      }`,
    });
    await page.clock.install();
    let isOver = false;
    const solving = solveIn(page, challenge, { workers }).finally(() => {
      isOver = true;
    });
    let passed = 0;
    await until(
      "the end of the search",
      async () => {
        if (passed < most && (await page.evaluate(isDue))) {
          await page.clock.runFor(1_000);
          passed += 1_000;
        }
        return isOver;
      },
      30_000,
    );
    return { found: await solving, passed, blocks: await page.evaluate(() => globalThis.blocks) };
  }

  test("before its first block is done: the others try its block", async (t) => {
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 2 });
    const { found, passed } = await solveAhead(t, challenge, {
      workers: 2,
      change: (number, report) => (number === 1 && report.type !== "ready" ? undefined : report),
      isDue: () => reports[2] > 1 && !blocks[2].includes(0),
      most: 16_000,
    });
    assert.equal(found.counter, 2);
    assert.match(found.backend.reason, /stopped responding/);
    assert.equal(found.backend.thread, "worker");
    assert.ok(passed <= 16_000, `after ${passed} ms`);
    assert.ok(await verified(challenge, found));
  });

  test("later: the others try the blocks that it had", async (t) => {
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 7 });
    const { found, blocks } = await solveAhead(t, challenge, {
      workers: 2,
      had: 2,
      // The first block has the counters up to 3.
      change: (number, report, count) => (number === 1 && count > 2 ? undefined : report),
      isDue: () => reports[1] > 2 && reports[2] > 1,
    });
    assert.equal(found.counter, 7);
    assert.ok(blocks[1].includes(4) && blocks[2].includes(4));
    assert.match(found.backend.reason, /stopped responding/);
  });

  test("before it is ready: the page's own thread derives the keys", async (t) => {
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 30 });
    const { found } = await solveAhead(t, challenge, {
      workers: 1,
      change: () => undefined,
      isDue: () => reports[1] > 0,
    });
    assert.equal(found.counter, 30);
    assert.equal(found.backend.thread, "page");
    assert.match(found.backend.reason, /no sign of life/);
  });

  test("with every other: the page's own thread continues", async (t) => {
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 30 });
    const { found, passed } = await solveAhead(t, challenge, {
      workers: 2,
      change: (_number, report) => (report.type === "ready" ? report : undefined),
      isDue: () => reports[1] > 1 && reports[2] > 1,
    });
    assert.equal(found.counter, 30);
    assert.equal(found.backend.thread, "page");
    // Nothing is known of the speed, and the first key of a slow phone may take long.
    assert.ok(passed >= 60_000, `after ${passed} ms`);
  });

  test("a slow one is waited for: 3 s for a key, then 50 s for the next one", async (t) => {
    const challenge = await theirChallenge("ARGON2ID", { counter: 3 });
    const { found, passed } = await solveAhead(t, challenge, {
      workers: 1,
      change: (_number, report, count) => {
        if (report.type !== "searched") return report;
        const slow = { ...report, ms: 3_000 * report.tried };
        return count === 3 ? new Promise((resolve) => setTimeout(resolve, 50_000, slow)) : slow;
      },
      isDue: () => reports[1] > 2,
    });
    assert.equal(found.counter, 3);
    assert.deepEqual(found.backend, { engine: "simd128", thread: "worker" });
    assert.ok(passed >= 50_000, `after ${passed} ms`);
  });
});

describe("a module that arrives late", () => {
  /** A page whose server sends the modules `when` its promise is settled, and a clock that a test can run ahead. */
  async function pageWithout(t, when) {
    let requests = 0;
    const answer = async (path) => {
      if (!path.endsWith(".wasm")) return undefined;
      requests += 1;
      await when();
      return undefined;
    };
    const page = await pageOn(t, { answer });
    await page.clock.install();
    return { page, requested: () => until("the request", () => requests > 0) };
  }

  test("after 20 s: the workers wait for it", async (t) => {
    let send;
    const sent = new Promise((resolve) => {
      send = resolve;
    });
    const { page, requested } = await pageWithout(t, () => sent);
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 30 });
    const solving = solveIn(page, challenge, { workers: 2 });
    await requested();
    await page.clock.runFor(20_000);
    send();
    const { counter, backend } = await solving;
    assert.deepEqual([counter, backend], [30, { engine: "simd128", thread: "worker" }]);
  });

  test("never: WebCrypto derives the keys, and the next search requests it again", async (t) => {
    let isStalled = true;
    const { page, requested } = await pageWithout(t, () => isStalled && new Promise(() => {}));
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 30 });
    const solving = solveIn(page, challenge, { workers: 2 });
    await requested();
    await page.clock.runFor(31_000);
    const { counter, backend } = await solving;
    assert.deepEqual([counter, backend.engine, backend.thread], [30, "webcrypto", "worker"]);
    assert.match(backend.reason, /kdf-sha\.wasm.*30 s/);
    isStalled = false;
    assert.equal((await solveIn(page, challenge, { workers: 2 })).backend.engine, "simd128");
  });

  test("never, with an algorithm that WebCrypto lacks: an error", async (t) => {
    const { page, requested } = await pageWithout(t, () => new Promise(() => {}));
    const solving = solveIn(page, await theirChallenge("SCRYPT", { counter: 4 }), { workers: 2 });
    await requested();
    await page.clock.runFor(31_000);
    const { code, message } = await solving;
    assert.equal(code, "engine_unavailable");
    assert.match(message, /kdf-scrypt\.wasm.*30 s/);
  });
});

describe("what a page refuses", () => {
  test("WebAssembly: WebCrypto derives the keys, and `backend` gives the reason", async (t) => {
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 40 });
    const found = await solveOn(t, challenge, { policy: "script-src 'self'" });
    assert.deepEqual(
      [found.counter, found.backend.engine, found.backend.thread],
      [40, "webcrypto", "worker"],
    );
    assert.match(found.backend.reason, /WebAssembly|wasm/i);
    assert.ok(await verified(challenge, found));
  });

  test("WebAssembly, with an algorithm that WebCrypto lacks: an error", async (t) => {
    const challenge = await theirChallenge("SCRYPT", { counter: 4 });
    assert.equal((await solveOn(t, challenge, { policy: "script-src 'self'" })).code, "engine_unavailable");
  });

  test("workers: the page's own thread", async (t) => {
    for (const algorithm of ["PBKDF2/SHA-256", "ARGON2ID"]) {
      const challenge = await theirChallenge(algorithm, { counter: 40 });
      const found = await solveOn(t, challenge, { policy: "worker-src 'none'" });
      assert.deepEqual([found.counter, found.backend.thread], [40, "page"]);
      assert.match(found.backend.reason, /no worker/);
      assert.ok(await verified(challenge, found));
    }
  });

  test("workers, with several searches at the same time and one after the other", async (t) => {
    const algorithms = ["ARGON2ID", "SCRYPT", "SHA-256", "ARGON2ID"];
    const challenges = await Promise.all(algorithms.map((name) => theirChallenge(name, { counter: 25 })));
    const policy = "worker-src 'none'";
    const found = await solveOn(t, challenges, { policy });
    assert.deepEqual(
      found.map(({ counter }) => counter),
      [25, 25, 25, 25, 25, 25, 25, 25],
    );
  });

  test("workers, at once: a single engine on the page's own thread", async (t) => {
    const prepare = `{
      const { instantiate } = WebAssembly;
      globalThis.instances = 0;
      WebAssembly.instantiate = (...about) => {
        instances += 1;
        return instantiate(...about);
      };
      globalThis.Worker = class {
        constructor() {
          throw new DOMException("refused", "SecurityError");
        }
      };
    }`;
    const page = await pageOn(t, { prepare });
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 40 });
    const { counter, backend } = await solveIn(page, challenge, { workers: 4, engine: "simd128" });
    assert.deepEqual([counter, backend.thread], [40, "page"]);
    assert.equal(await page.evaluate(() => instances), 1);
  });

  test("workers, at once, where the page has no memory: an error", async (t) => {
    const prepare = `{
      WebAssembly.instantiate = async () => {
        throw new RangeError("no memory");
      };
      globalThis.Worker = class {
        constructor() {
          throw new DOMException("refused", "SecurityError");
        }
      };
    }`;
    const challenge = await theirChallenge("ARGON2ID", { counter: 4 });
    const found = await solveOn(t, challenge, { prepare, options: { workers: 4 } });
    assert.equal(found.code, "engine_unavailable");
    assert.match(found.message, /no memory/);
  });

  test("functions of 2022: the search needs none", async (t) => {
    const page = await pageOn(t, { prepare: "delete Object.hasOwn;" });
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 40 });
    assert.equal((await solveIn(page, challenge)).counter, 40);
  });

  test("a secure context: WebAssembly needs none", async (t) => {
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 40 });
    const found = await solveOn(t, challenge, { host: PLAIN_HOST });
    assert.deepEqual([found.counter, found.backend.engine], [40, "simd128"]);
  });
});

test("several workers without SIMD use what is faster here too", async (t) => {
  const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 40 });
  for (const [hasSimd, compares] of [
    [false, true],
    [true, false],
  ]) {
    const page = await pageOn(t, {
      prepare: `{
        if (!${hasSimd}) WebAssembly.validate = () => false;
        const Real = Worker;
        globalThis.compares = [];
        globalThis.Worker = class extends Real {
          postMessage(command) {
            if (command.type === "start") compares.push(command.compares);
            super.postMessage(command);
          }
        };
      }`,
    });
    assert.equal((await solveIn(page, challenge, { workers: 2 })).counter, 40);
    assert.deepEqual(await page.evaluate(() => globalThis.compares), [compares, compares]);
  }
});

test("one worker uses what is faster here, SIMD or WebCrypto, and says which", async (t) => {
  const challenge = await theirChallenge("PBKDF2/SHA-256", { cost: 5000, counter: 400 });
  const found = await solveOn(t, challenge, { options: { workers: 1 } });
  assert.equal(found.counter, 400);
  assert.ok(["simd128", "webcrypto"].includes(found.backend.engine));
});
