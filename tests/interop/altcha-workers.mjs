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
        files: { "/": page(REGISTER), "/stock": page("") },
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

    test("our challenge by the widget's own workers and by ours, verified by us", async () => {
      const stock = await open("/stock");
      for (const algorithm of ["PBKDF2/SHA-256", "SHA-256"]) {
        const challenge = await ourChallenge(algorithm, 40);
        const theirs = await stock.evaluate((challenge) => globalThis.solve(challenge, 2), challenge);
        assert.equal(await weVerify(theirs.payload), "verified");
        assert.equal(await weVerify((await solve(challenge)).payload), "verified");
      }
      // What the stock bundle lacks.
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
