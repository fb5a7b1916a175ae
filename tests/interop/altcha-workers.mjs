/** `saltmine/altcha-workers` under the real `altcha` widget 3.2.2, in one browser; payloads verified by altcha-lib 2.8. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createChallenge } from "altcha-lib";
import { CHEAP, ourChallenge, theirChallenge, theyVerify, weVerify } from "../support/altcha-v2.mjs";
import { launch, MissingBrowser } from "../support/browsers/index.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";

const WIDGET = fileURLToPath(new URL("..", import.meta.resolve("altcha-3")));

/** The widget with the lines that a page's owner adds. */
const page = (lines) => `${BLANK_PAGE}
<script type="module">
  import "/altcha/main/altcha.js";
  ${lines}
  globalThis.solve = async (challenge, workers) => {
    const widget = document.createElement("altcha-widget");
    document.body.append(widget);
    await customElements.whenDefined("altcha-widget");
    await new Promise((resolve) => setTimeout(resolve));
    await widget.configure({ challenge: JSON.stringify(challenge), minDuration: 0, ...(workers && { workers }) });
    const result = await widget.verify();
    const state = widget.getState();
    widget.remove();
    return { payload: result?.payload ?? null, state };
  };
</script>`;

const REGISTER = `
  import { registerWorkers } from "/saltmine/altcha-workers.js";
  registerWorkers();`;

/** The scripts that make a worker use an engine. */
const ENGINES = {
  simd128: "",
  scalar: "WebAssembly.validate = () => false;",
  webcrypto: "WebAssembly.instantiate = WebAssembly.compile = async () => { throw new Error('refused'); };",
};

const engineFiles = Object.entries(ENGINES).flatMap(([engine, script]) => [
  [`/${engine}.js`, `import "./${engine}-only.js"; import "/saltmine/altcha-worker.js";`],
  [`/${engine}-only.js`, script],
]);

/**
 * Runs in the page: gives each challenge to one worker for each engine, with the messages of the widget, and aborts the others
 * when one has found the counter. Returns the counters that were found.
 */
async function solveWithEngines({ challenges, engines }) {
  const workers = engines.map((engine) => new Worker(`/${engine}.js`, { type: "module" }));
  const found = [];
  for (const challenge of challenges) {
    const answers = workers.map(
      (worker, counterStart) =>
        new Promise((resolve, reject) => {
          worker.onerror = reject;
          worker.onmessage = ({ data }) => {
            if (data) for (const other of workers) if (other !== worker) other.postMessage({ type: "abort" });
            resolve(data?.error ?? data?.counter);
          };
          worker.postMessage({
            type: "work",
            challenge,
            counterMode: "uint32",
            counterStart,
            counterStep: workers.length,
            timeout: 2_000,
          });
        }),
    );
    found.push((await Promise.all(answers)).find((answer) => answer !== undefined) ?? null);
  }
  for (const worker of workers) worker.terminate();
  return found;
}

/** Runs the suite in a browser; one skipped test with its reason, where the browser is missing. */
export async function testWorkers(name) {
  const browser = await launch(name).catch((error) => {
    if (error instanceof MissingBrowser) return error;
    throw error;
  });
  if (browser instanceof MissingBrowser) {
    test(name, { skip: browser.message });
    return;
  }
  describe(`saltmine/altcha-workers in ${name}`, () => {
    let tarball, site, tab;

    before(async () => {
      tarball = await installTarball();
      site = await serveFiles({
        folders: { "/saltmine/": tarball.dist, "/altcha/": WIDGET },
        files: { "/": page(REGISTER), "/stock": page(""), ...Object.fromEntries(engineFiles) },
      });
      tab = await open("/");
    });
    after(async () => {
      await browser.close();
      await site?.close();
      await tarball?.remove();
    });

    async function open(path) {
      const opened = await browser.open(site.origin + path);
      for (let waits = 0; !(await opened.evaluate(() => "solve" in globalThis)); waits += 1) {
        assert.ok(waits < 200, "the widget was not loaded");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return opened;
    }

    const solve = (challenge, workers) =>
      tab.evaluate(({ challenge, workers }) => globalThis.solve(challenge, workers), { challenge, workers });

    for (const algorithm of Object.keys(CHEAP)) {
      test(`${algorithm}: verified by altcha-lib`, async () => {
        for (const workers of [1, 3]) {
          const challenge = await theirChallenge(algorithm, { counter: 77 });
          const { payload } = await solve(challenge, workers);
          const sent = JSON.parse(atob(payload));
          assert.equal(sent.solution.counter, 77);
          assert.ok(sent.solution.time >= 0);
          assert.deepEqual(sent.challenge, challenge);
          assert.ok(await theyVerify(challenge, sent.solution));
        }
      });
    }

    for (const [algorithm, ...engines] of [
      ["PBKDF2/SHA-256", "scalar", "webcrypto"],
      ["PBKDF2/SHA-256", "simd128", "scalar", "webcrypto"],
      ["SCRYPT", "scalar", "simd128"],
      ["ARGON2ID", "simd128", "scalar"],
    ])
      test(`${algorithm}: workers with ${engines.join(" and ")} share all counters`, async () => {
        const counters = Array.from({ length: 18 }, (_, counter) => counter);
        const challenges = await Promise.all(
          counters.map((counter) => theirChallenge(algorithm, { counter, keyPrefixLength: 16 })),
        );
        assert.deepEqual(await tab.evaluate(solveWithEngines, { challenges, engines }), counters);
      });

    for (const [counterStart, counterStep, counter] of [
      [5_000, 1, 5_002],
      [7, 3, 13],
      [3, 3, 6],
    ])
      test(`counters from ${counterStart} on, in steps of ${counterStep}`, async () => {
        const challenge = await theirChallenge("PBKDF2/SHA-256", { counter });
        const found = await tab.evaluate(
          (work) =>
            new Promise((resolve, reject) => {
              const worker = new Worker("/simd128.js", { type: "module" });
              worker.onerror = reject;
              worker.onmessage = ({ data }) => {
                worker.terminate();
                resolve(data);
              };
              worker.postMessage({ type: "work", timeout: 2_000, ...work });
            }),
          { challenge, counterStart, counterStep },
        );
        assert.equal(found?.counter, counter);
      });

    test("our challenge by the widget's own workers and by ours, verified by us", async () => {
      const stock = await open("/stock");
      for (const algorithm of ["PBKDF2/SHA-256", "SHA-256"]) {
        const challenge = await ourChallenge(algorithm, 40);
        const theirs = await stock.evaluate((challenge) => globalThis.solve(challenge, 2), challenge);
        assert.equal(await weVerify(theirs.payload), "verified");
        assert.equal(await weVerify((await solve(challenge)).payload), "verified");
      }
      // The stock bundle does not support scrypt.
      const lacking = await stock.evaluate(
        (challenge) => globalThis.solve(challenge, 1),
        await theirChallenge("SCRYPT", { counter: 5 }),
      );
      assert.deepEqual(lacking, { payload: null, state: "error" });
      await stock.close();
    });

    test("a challenge of version 1", async () => {
      const challenge = await createChallenge({ hmacKey: "a key", number: 4_321, maxNumber: 10_000 });
      for (const workers of [1, 2]) {
        const { payload } = await solve(challenge, workers);
        assert.equal(JSON.parse(atob(payload)).number, 4_321);
      }
    });

    test("more memory than there is: an error that says so, not an endless search", async () => {
      const challenge = await theirChallenge("SCRYPT", { counter: 5 });
      challenge.parameters.cost = 2 ** 25;
      challenge.parameters.memoryCost = 64;
      assert.deepEqual(await solve(challenge, 2), { payload: null, state: "error" });
    });
  });
}
