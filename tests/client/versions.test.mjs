/** Two versions of the package on one page, and in two tabs: of one visitor, and without a word to each other. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, describe, test } from "node:test";
import { launchBrowser, openPage } from "../support/browser.mjs";
import { until } from "../support/client-pages.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { APP_ID } from "../support/service.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball, installVersion } from "../support/tarball.mjs";
import { startTimedService } from "../support/timed-service.mjs";
import { KEY_CHALLENGE } from "../support/vectors.mjs";

const first = await installTarball();
const second = await installVersion(`${Number(first.manifest.version.split(".")[0]) + 1}.0.0`);
const VERSIONS = [first.manifest.version, second.manifest.version];

const noBundler = (name) => readFile(new URL(`../packaging/no-bundler/${name}`, import.meta.url), "utf8");
const cdn = await serveFiles({
  folders: { "/1/": first.dist, "/2/": second.dist },
  headers: { "access-control-allow-origin": "*" },
});
const site = await serveFiles({
  folders: { "/1/": first.dist, "/2/": second.dist },
  files: {
    "/": BLANK_PAGE,
    "/scripts": (await noBundler("two-versions.html")).replaceAll("https://cdn.example", cdn.origin),
    "/keep.js": await noBundler("keep.js"),
  },
});
const browser = await launchBrowser();
const server = await startServer();
after(async () => {
  await browser.close();
  await site.close();
  await cdn.close();
  await server.stop();
  await first.remove();
  await second.remove();
});

const client = (number, options) => ({ number, options: { appId: APP_ID, ...options } });

/** Makes clients of some of the versions on the page: `clients` and their `events`, by number. */
async function make(page, ...wanted) {
  await page.evaluate(async (wanted) => {
    globalThis.clients ??= {};
    globalThis.events ??= { 1: [], 2: [] };
    for (const { number, options } of wanted) {
      const { createClient } = await import(`/${number}/index.js`);
      clients[number] = createClient({ ...options, onEvent: (event) => events[number].push(event) });
    }
  }, wanted);
}

/** Calls a method of several clients at the same time. */
const call = (page, method, numbers) =>
  page.evaluate(
    ([method, numbers]) =>
      Promise.all(numbers.map((number) => clients[number][method]().catch(({ code }) => ({ code })))),
    [method, numbers],
  );

async function setUp(t) {
  const service = await startTimedService();
  const { page, context, complaints } = await openPage(browser, site.origin);
  t.after(async () => {
    await context.close();
    await service.close();
    assert.deepEqual(complaints, []);
  });
  return {
    service,
    page,
    context,
    both: [1, 2].map((number) => client(number, { baseUrl: service.baseUrl })),
  };
}

const paths = (page) =>
  page
    .workers()
    .map((worker) => new URL(worker.url()).pathname)
    .sort();

describe("two versions on one page", () => {
  test("each tells its own", async (t) => {
    const { page } = await setUp(t);
    const told = await page.evaluate(async () => [
      (await import("/1/index.js")).VERSION,
      (await import("/2/index.js")).VERSION,
    ]);
    assert.deepEqual(told, VERSIONS);
  });

  test("asked at once, they ask the server once, and have one session", async (t) => {
    const { page, service, both } = await setUp(t);
    await make(page, ...both);
    const [one, two] = await call(page, "session", [1, 2]);
    assert.match(one.token, /\./);
    assert.deepEqual(two, one);
    assert.deepEqual(service.asked(), ["challenge", "session"]);
    const sources = await page.evaluate(() =>
      [1, 2].map((number) => events[number].find(({ type }) => type === "ready").source),
    );
    assert.deepEqual(sources.sort(), ["network", "storage"]);
  });

  test("each has its own worker and its own WebAssembly", async (t) => {
    const { page, both } = await setUp(t);
    const before = site.sent.length;
    await make(page, ...both.map(({ number, options }) => client(number, { ...options, storage: "memory" })));
    const [one, two] = await call(page, "session", [1, 2]);
    assert.notEqual(one.userId, two.userId);
    assert.deepEqual(paths(page), ["/1/worker.js", "/2/worker.js"]);
    const sent = site.sent.slice(before).map(({ path }) => path);
    for (const path of ["/1/simd128.wasm", "/2/simd128.wasm"]) assert.ok(sent.includes(path), path);
  });

  test("what one has stored, the other takes at the next visit", async (t) => {
    const { page, service, both } = await setUp(t);
    for (const [writer, reader] of [
      [0, 1],
      [1, 0],
    ]) {
      await page.evaluate(() => localStorage.clear());
      await page.reload();
      await make(page, both[writer]);
      const [stored] = await call(page, "session", [both[writer].number]);
      const asked = service.asked().length;
      await page.reload();
      await make(page, both[reader]);
      assert.deepEqual(await call(page, "session", [both[reader].number]), [stored]);
      assert.equal(service.asked().length, asked);
    }
  });

  test("the end of one leaves the other as it was", async (t) => {
    const { page, both } = await setUp(t);
    await make(page, ...both.map(({ number, options }) => client(number, { ...options, storage: "memory" })));
    const [, two] = await call(page, "session", [1, 2]);
    await page.evaluate(() => clients[1].dispose());
    await until("its worker is gone", () => paths(page).join() === "/2/worker.js");
    assert.deepEqual(await call(page, "session", [1, 2]), [{ code: "disposed" }, two]);
    const [renewed] = await call(page, "refresh", [2]);
    assert.equal(renewed.userId, two.userId);
    assert.notEqual(renewed.token, two.token);
  });

  test("an error is an instance of its own version's class, and has the same code in both", async (t) => {
    const { page } = await setUp(t);
    const told = await page.evaluate(async () => {
      const [one, two] = [await import("/1/index.js"), await import("/2/index.js")];
      return Promise.all(
        [one, two].map(({ solve }) =>
          solve({}).catch((error) => [
            error.code,
            error instanceof one.SaltmineError,
            error instanceof two.SaltmineError,
          ]),
        ),
      );
    });
    assert.deepEqual(told, [
      ["challenge_malformed", true, false],
      ["challenge_malformed", false, true],
    ]);
  });

  test("a page notices a worker of the other version, and does without it", async (t) => {
    const { page, both } = await setUp(t);
    await make(page, client(1, { ...both[0].options, assetsUrl: "/2/" }));
    const [{ token }] = await call(page, "session", [1]);
    assert.match(token, /\./);
    const { backend } = await page.evaluate(() => events[1].find(({ type }) => type === "ready"));
    assert.equal(backend.thread, "page");
    assert.ok(
      backend.reason.includes(`of version ${VERSIONS[1]}, the page's of ${VERSIONS[0]}`),
      backend.reason,
    );
    assert.deepEqual(paths(page), []);
  });

  test("a page notices a key worker of the other version, and does without it", async (t) => {
    const { page } = await setUp(t);
    const { backend, derivedKey } = await page.evaluate(async (challenge) => {
      const { solve } = await import("/1/index.js");
      return solve(challenge, { assetsUrl: "/2/" });
    }, KEY_CHALLENGE);
    assert.match(derivedKey, /^00/);
    assert.equal(backend.thread, "page");
    assert.ok(
      backend.reason.includes(`of version ${VERSIONS[1]}, the page's of ${VERSIONS[0]}`),
      backend.reason,
    );
    assert.deepEqual(paths(page), []);
  });

  test("they leave no global, and no key of storage but the one", async (t) => {
    const { page, both } = await setUp(t);
    const names = () => page.evaluate(() => Object.getOwnPropertyNames(globalThis).sort());
    const before = await names();
    await make(page, ...both);
    await call(page, "session", [1, 2]);
    const added = (await names()).filter((name) => !before.includes(name));
    assert.deepEqual(added, ["clients", "events"], "those of this test");
    assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage)]), [
      [`inkeep_session_${APP_ID}`],
      [],
    ]);
  });
});

test("two versions in two tabs: a farewell and a renewal in one are heard in the other", async (t) => {
  const { page, context, both } = await setUp(t);
  const other = await context.newPage();
  await other.goto(site.origin);
  await make(page, both[0]);
  await make(other, both[1]);
  const [session] = await call(page, "session", [1]);
  assert.deepEqual(await call(other, "session", [2]), [session]);
  const [renewed] = await call(page, "refresh", [1]);
  const isHeard = (test) => other.evaluate(`events[2].some((event) => ${test})`);
  await until("the renewal is heard", () =>
    isHeard(`event.type === "ready" && event.session.token === ${JSON.stringify(renewed.token)}`),
  );
  await page.evaluate(() => clients[1].signOut());
  await until("the farewell is heard", () => isHeard('event.state === "signed_out"'));
});

test("two classic scripts: the global is the last one's, and the first works on under another name", async (t) => {
  const { page, context, complaints } = await openPage(browser, `${site.origin}/scripts`);
  t.after(() => context.close());
  assert.deepEqual(await page.evaluate(() => [saltmine1.VERSION, saltmine.VERSION]), VERSIONS);
  const options = { baseUrl: server.baseUrl, appId: DEMO_APP_ID, storage: "memory" };
  const sessions = await page.evaluate(
    (options) =>
      Promise.all([saltmine1, saltmine].map(({ createClient }) => createClient(options).session())),
    options,
  );
  assert.notEqual(sessions[0].userId, sessions[1].userId);
  const sent = cdn.sent.map(({ path }) => path);
  for (const file of ["worker.js", "simd128.wasm"])
    assert.deepEqual(sent.filter((path) => path.endsWith(`/${file}`)).sort(), [`/1/${file}`, `/2/${file}`]);
  assert.deepEqual(complaints, []);
});

test("a classic script does not use keys.js of another version", async (t) => {
  const { page, context } = await openPage(browser, `${site.origin}/scripts`);
  t.after(() => context.close());
  const solveWith = (assetsUrl) =>
    page.evaluate(
      ([challenge, assetsUrl]) =>
        saltmine1.solve(challenge, { assetsUrl }).catch(({ code, message }) => ({ code, message })),
      [KEY_CHALLENGE, assetsUrl],
    );
  const { code, message } = await solveWith(`${cdn.origin}/2/`);
  assert.equal(code, "engine_unavailable");
  assert.ok(message.includes(`of version ${VERSIONS[1]}, the script of ${VERSIONS[0]}`), message);
  assert.equal((await solveWith(`${cdn.origin}/1/`)).backend.thread, "worker");
});
