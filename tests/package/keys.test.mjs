/** The search of ALTCHA version 2 in Chromium where something is missing: memory, WebAssembly, workers, a secure context. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { theirChallenge, theyVerify } from "../support/altcha-v2.mjs";
import { launchBrowser } from "../support/browser.mjs";
import { PLAIN_HOST } from "../support/client-pages.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";

const tarball = await installTarball();
const browser = await launchBrowser([`--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`]);
after(async () => {
  await browser.close();
  await tarball.remove();
});

/** Solves a challenge on a page, or several, at the same time and then one after the other; `policy` is its Content-Security-Policy, `prepare` runs in it before. */
async function solveOn(t, challenge, { policy, prepare, options, host = "127.0.0.1" } = {}) {
  const site = await serveFiles({
    folders: { "/saltmine/": tarball.dist },
    files: {
      "/": `${BLANK_PAGE}<script type="module" src="/page.js"></script>`,
      "/page.js": `import * as saltmine from "${tarball.doors.web}"; globalThis.saltmine = saltmine;`,
    },
    headers: policy ? { "content-security-policy": policy } : {},
  });
  t.after(site.close);
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(site.origin.replace("127.0.0.1", host));
  await page.waitForFunction(() => "saltmine" in globalThis);
  if (prepare) await page.evaluate(prepare);
  return page.evaluate(
    async ({ challenge, options }) => {
      const solve = (one) => saltmine.solve(one, options).catch(({ code, message }) => ({ code, message }));
      if (!Array.isArray(challenge)) return solve(challenge);
      const found = await Promise.all(challenge.map(solve));
      for (const one of challenge) found.push(await solve(one));
      return found;
    },
    { challenge, options },
  );
}

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

  test("a real refusal: more than WebAssembly can have", async (t) => {
    const challenge = await theirChallenge("SCRYPT", { counter: 5 });
    Object.assign(challenge.parameters, { cost: 2 ** 23, memoryCost: 8 });
    const found = await solveOn(t, challenge);
    assert.equal(found.code, "engine_unavailable");
    assert.match(found.message, /memory/);
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

  test("a secure context: WebAssembly needs none", async (t) => {
    const challenge = await theirChallenge("PBKDF2/SHA-256", { counter: 40 });
    const found = await solveOn(t, challenge, { host: PLAIN_HOST });
    assert.deepEqual([found.counter, found.backend.engine], [40, "simd128"]);
  });
});

test("one worker uses what is faster here, SIMD or WebCrypto, and says which", async (t) => {
  const challenge = await theirChallenge("PBKDF2/SHA-256", { cost: 5000, counter: 400 });
  const found = await solveOn(t, challenge, { options: { workers: 1 } });
  assert.equal(found.counter, 400);
  assert.ok(["simd128", "webcrypto"].includes(found.backend.engine));
});
