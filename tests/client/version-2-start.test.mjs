/** Cold visits with challenges of version 2: nothing waits for a response that it does not need. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { launchBrowser, workersGone } from "../support/browser.mjs";
import { theirChallenge } from "../support/altcha-v2.mjs";
import { APP_ID, granted, makeChallenge, startService } from "../support/service.mjs";
import { BLANK_PAGE, readAnswer } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";

const tarball = await installTarball();
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await tarball.remove();
});

const page = (source) => `${BLANK_PAGE}<script type="module">
  import { createClient, solve } from "${tarball.entryPoints.web}";
  globalThis.done = (${source})()
    .then((value) => ({ value }), (error) => ({ failed: error.message }));</script>`;
const session = (options = {}) =>
  page(`async () => {
    const onEvent = (event) => event.type === "ready" && (globalThis.ready = event);
    const options = { baseUrl: location.origin, appId: "${APP_ID}", onEvent, ...${JSON.stringify(options)} };
    globalThis.client = createClient(options);
    return (await client.session()).token;
  }`);
const challengeOf = (algorithm) => theirChallenge(algorithm, { counter: 20 });
const SEARCH = ["keys.js", "kdf-worker.js", "kdf-sha.wasm"];

/**
 * A site with the page, the package and the service. `held` has the files (or "challenge") whose responses wait until all of
 * `needed` have been requested, or for 5 s.
 */
async function startSite(
  t,
  html,
  { held = [], needed = [], challenge = () => challengeOf("PBKDF2/SHA-256") },
) {
  const requested = [];
  const state = { requested, held, needed, waited: [] };
  let tell = () => {};
  const pass = async (name) => {
    requested.push(name);
    tell();
    if (!state.held.includes(name)) return;
    const end = Date.now() + 5_000;
    while (!state.needed.every((file) => requested.includes(file))) {
      if (Date.now() > end) return void state.waited.push(name);
      await new Promise((resolve) => {
        tell = resolve;
        setTimeout(resolve, 100);
      });
    }
  };
  const routes = {
    challenge: async () => {
      await pass("challenge");
      return { body: await challenge() };
    },
    session: async () => granted(),
  };
  const otherwise = async (path) => {
    await pass(path.split("/").at(-1));
    return readAnswer(path, { folders: { "/saltmine/": tarball.dist }, files: { "/": html } });
  };
  const service = await startService(routes, { otherwise });
  t.after(service.close);
  return { ...state, state, url: `${service.baseUrl}/` };
}

async function newContext(t) {
  const context = await browser.newContext();
  t.after(() => context.close());
  return context;
}

async function visit(context, url) {
  const tab = await context.newPage();
  await tab.goto(url);
  const { value, failed } = await tab.evaluate(() => globalThis.done);
  assert.equal(failed, undefined);
  return { tab, value };
}

describe("a first visit", () => {
  test("the files of the search are requested together, once the challenge has come", async (t) => {
    const site = await startSite(t, session(), { held: SEARCH, needed: SEARCH });
    const context = await newContext(t);
    await visit(context, site.url);
    assert.deepEqual(site.waited, [], "a file was requested only after another had come");
    assert.ok(site.requested.indexOf("challenge") < site.requested.indexOf("keys.js"));
  });

  test("with `challengeVersion: 2` they are requested together with the challenge", async (t) => {
    const held = ["challenge", ...SEARCH];
    const site = await startSite(t, session({ challengeVersion: 2 }), { held, needed: held });
    const context = await newContext(t);
    const { tab } = await visit(context, site.url);
    assert.deepEqual(site.waited, [], "a file was requested only after the challenge had come");
    for (const file of ["keys.js", "kdf-sha.wasm"])
      assert.equal(site.requested.filter((name) => name === file).length, 1, `${file} more than once`);
    await tab.evaluate(() => client.dispose());
    await workersGone(tab, 4_500);
  });

  test("a challenge of version 1 in spite of it: a session, and no worker that derives keys is left", async (t) => {
    const site = await startSite(t, session({ challengeVersion: 2 }), { challenge: () => makeChallenge() });
    const context = await newContext(t);
    const { tab, value } = await visit(context, site.url);
    assert.ok(value);
    await tab.evaluate(() => client.dispose());
    await workersGone(tab, 4_500);
  });

  test("another algorithm in spite of it: its own module is requested", async (t) => {
    const challenge = () => challengeOf("SCRYPT");
    const site = await startSite(t, session({ challengeVersion: 2 }), { challenge });
    const context = await newContext(t);
    const { tab, value } = await visit(context, site.url);
    assert.ok(value);
    assert.ok(site.requested.includes("kdf-scrypt.wasm"));
    await tab.evaluate(() => client.dispose());
    await workersGone(tab, 4_500);
  });

  test("a worker whose script cannot be loaded is reported as the reason for the page's own engine", async (t) => {
    const site = await startSite(t, session({ challengeVersion: 2 }), {});
    const context = await newContext(t);
    await context.route("**/kdf-worker.js", (route) => route.fulfill({ status: 404, body: "" }));
    const { tab, value } = await visit(context, site.url);
    assert.ok(value);
    const { backend } = await tab.evaluate(() => globalThis.ready);
    assert.equal(backend.thread, "page");
    assert.match(backend.reason, /no worker: /);
  });

  test("`solve` requests the files together", async (t) => {
    const challenge = JSON.stringify(await challengeOf("PBKDF2/SHA-256"));
    const html = page(`async () => (await solve(${challenge})).counter`);
    const site = await startSite(t, html, { held: SEARCH, needed: SEARCH });
    const context = await newContext(t);
    const { tab, value } = await visit(context, site.url);
    assert.equal(value, 20);
    assert.deepEqual(site.waited, []);
    await workersGone(tab, 4_500);
  });
});

describe("a later visit", () => {
  test("what the last challenge needed is requested together with the next one", async (t) => {
    const challenge = () => challengeOf("ARGON2ID");
    const site = await startSite(t, session(), { challenge });
    const context = await newContext(t);
    const { tab } = await visit(context, site.url);
    // The session itself is forgotten, so that the next page requests one.
    await tab.evaluate(() => client.signOut());
    await tab.close();
    site.requested.length = 0;
    site.state.held = site.state.needed = ["challenge", "keys.js", "kdf-worker.js", "kdf-argon2id.wasm"];
    await visit(context, site.url);
    assert.deepEqual(site.waited, [], "a file was requested only after the challenge had come");
  });

  test("a service of version 1 in spite of `challengeVersion: 2` is remembered", async (t) => {
    const site = await startSite(t, session({ challengeVersion: 2 }), { challenge: () => makeChallenge() });
    const context = await newContext(t);
    const { tab } = await visit(context, site.url);
    await tab.evaluate(() => client.signOut());
    await tab.close();
    assert.ok(site.requested.includes("keys.js"));
    site.requested.length = 0;
    await visit(context, site.url);
    assert.ok(!site.requested.some((file) => SEARCH.includes(file)), site.requested.join(" "));
  });

  test("with `challengePath` nothing is stored, and what another client has stored is not used", async (t) => {
    const options = { challengePath: "/run/auth/challenge" };
    const site = await startSite(t, session(options), { challenge: () => makeChallenge() });
    const context = await newContext(t);
    const until = Date.now() + 3_600_000;
    const stored = JSON.stringify({ route: "/run/auth/challenge", keyModule: "argon2id", until });
    await context.addInitScript((stored) => {
      localStorage[`saltmine_challenge_${location.origin}`] ??= stored;
    }, stored);
    const { tab } = await visit(context, site.url);
    assert.ok(!site.requested.some((file) => /^(keys|kdf-)/.test(file)), site.requested.join(" "));
    const left = await tab.evaluate(() => localStorage[`saltmine_challenge_${location.origin}`]);
    assert.equal(left, stored);
  });
});

test("a page of the site in the place of the module: the search requests it again", async (t) => {
  const challenge = JSON.stringify(await challengeOf("SHA-256"));
  const html = page(`async () => {
    const results = [];
    for (let round = 0; round < 2; round += 1) results.push(await solve(${challenge}));
    return results;
  }`);
  const site = await startSite(t, html, {});
  const context = await newContext(t);
  let count = 0;
  await context.route("**/kdf-sha.wasm", (route) => {
    count += 1;
    // The first two: the request ahead and the page's own. Workers are not routed.
    return count <= 2
      ? route.fulfill({ status: 200, contentType: "text/html", body: "<!doctype html><p>Sign in" })
      : route.fallback();
  });
  const { value } = await visit(context, site.url);
  assert.deepEqual(
    value.map(({ counter }) => counter),
    [20, 20],
  );
  assert.equal(value[1].backend.engine, "simd128");
  assert.ok(count > 2, `${count} requests`);
});

test("an abort while the code of the search does not come ends the worker that was started ahead", async (t) => {
  const challenge = JSON.stringify(await challengeOf("PBKDF2/SHA-256"));
  const html = page(`async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    return solve(${challenge}, { signal: controller.signal }).then(String, ({ name }) => name);
  }`);
  const site = await startSite(t, html, { held: ["keys.js"], needed: ["never"] });
  const context = await newContext(t);
  const { tab, value } = await visit(context, site.url);
  assert.equal(value, "AbortError");
  assert.ok(site.requested.includes("kdf-worker.js"));
  await workersGone(tab, 2_000);
});
