/** `saltmine/react` in React 18 and 19: on a page against the reference server, and where a server renders it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { build } from "esbuild";
import { launchBrowser, openPage, workersGone } from "../support/browser.mjs";
import { root } from "../support/paths.mjs";
import { DEMO_APP_ID, startServer } from "../support/server.mjs";
import { APP_ID, inTheFuture, makeToken, problem } from "../support/service.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { runNode, installTarball } from "../support/tarball.mjs";
import { makeUserKey, startTodaysService } from "../support/todays-service.mjs";
import { startTimedService } from "../support/timed-service.mjs";
import { settle, until } from "../support/client-pages.mjs";

const { dist, entryPoints, installed, folder: project, remove } = await installTarball();
const browser = await launchBrowser();
const server = await startServer();
after(async () => {
  await browser.close();
  await server.stop();
  await remove();
});

/** A component that shows the state that it receives, and stores it in globals that a test reads. */
const APP = `
  import { createElement, StrictMode, version } from "react";
  import { createRoot } from "react-dom/client";
  import { useSession } from "saltmine/react";
  const renders = [];
  const events = [];
  function Widget({ label, ...options }) {
    const state = useSession({ ...options, onEvent: (event) => events.push(event) });
    globalThis.state = state;
    renders.push({ label, userId: state.session?.userId, token: state.session?.token,
      code: state.error?.code, isLoading: state.isLoading, hasClient: state.client !== undefined });
    return createElement("p", null, state.session?.userId ?? state.error?.code ?? "…");
  }
  let container = createRoot(document.body.appendChild(document.createElement("div")));
  globalThis.show = (options, strict) =>
    container.render(strict ? createElement(StrictMode, null, createElement(Widget, options)) : createElement(Widget, options));
  function User({ user, label, ...options }) {
    const calls = (globalThis.calls ??= []);
    const getAuthToken = user && (async ({ reason }) => {
      calls.push([reason, user, label]);
      return globalThis.tokens[user];
    });
    const state = useSession({ ...options, ...(getAuthToken && { getAuthToken }) });
    globalThis.state = state;
    return createElement("p", null, state.session ? state.session.kind + " " + state.session.userId : (state.error?.code ?? "…"));
  }
  globalThis.showUser = (options) => container.render(createElement(User, { ...options, key: options.user }));
  const Shared = ({ client }) => {
    const { session, error, isLoading } = useSession(client);
    return createElement("p", null, session?.userId ?? error?.code ?? (isLoading ? "…" : "nothing"));
  };
  globalThis.showTwo = (client) =>
    container.render([1, 2].map((key) => createElement(Shared, { key, client })));
  globalThis.unmount = () => container.render(null);
  Object.assign(globalThis, { renders, events, version });
`;

const VERSIONS = { 18: join(root, "tools", "react-18"), 19: join(root, "tests") };

/** The package's own import of React is whatever a folder has. */
const theSameReact = (folder) => ({
  name: "the-same-react",
  setup: ({ onResolve, resolve }) => {
    onResolve({ filter: /^saltmine\/react$/ }, () => ({ path: join(installed, "dist", "react.js") }));
    onResolve({ filter: /^react$/ }, ({ importer, kind }) =>
      importer.startsWith(installed) ? resolve("react", { resolveDir: folder, kind }) : undefined,
    );
  },
});

/** The page's code with a version of React; the package stays where the site has it. */
async function bundle(folder) {
  const { outputFiles } = await build({
    stdin: { contents: APP, resolveDir: folder },
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
    define: { "process.env.NODE_ENV": '"development"' },
    external: ["saltmine"],
    plugins: [theSameReact(folder)],
  });
  return outputFiles[0].text;
}

for (const [version, folder] of Object.entries(VERSIONS)) {
  describe(`React ${version}`, async () => {
    const importMap = `<script type="importmap">{ "imports": { "saltmine": "${entryPoints.web}" } }</script>`;
    const site = await serveFiles({
      folders: { "/saltmine/": dist },
      files: {
        "/": `${BLANK_PAGE}${importMap}<script type="module" src="/app.js"></script>`,
        "/app.js": await bundle(folder),
      },
    });
    after(site.close);
    const real = { baseUrl: server.baseUrl, appId: DEMO_APP_ID };

    async function setUp(t) {
      const { page, context, complaints } = await openPage(browser, site.origin);
      t.after(() => context.close());
      await page.waitForFunction(() => "show" in globalThis);
      const show = (options, strict = false) =>
        page.evaluate(([options, strict]) => show(options, strict), [options, strict]);
      const text = () => page.evaluate(() => document.body.innerText.trim());
      const last = () => page.evaluate(() => renders.at(-1));
      const shows = (pattern) => until(String(pattern), async () => pattern.test(await text()));
      return { page, complaints, show, text, last, shows };
    }

    for (const strict of [false, true]) {
      test(`a session${strict ? ", in strict mode" : ""}; the unmount ends everything`, async (t) => {
        const { page, show, shows, last, complaints } = await setUp(t);
        await show(real, strict);
        await shows(/^anon_/);
        assert.equal(await page.evaluate(() => version.split(".")[0]), version);
        const first = await page.evaluate(() => renders[0]);
        assert.deepEqual([first.userId, first.isLoading, first.hasClient], [undefined, true, false]);
        const { isLoading, hasClient, code } = await last();
        assert.deepEqual([isLoading, hasClient, code], [false, true, undefined]);
        assert.equal(await page.evaluate(() => events.filter(({ type }) => type === "ready").length), 1);
        // Those that searched end by themselves.
        await until("one worker", () => page.workers().length === 1);
        // Inline options and a new listener with each render make no new client.
        await show(real, strict);
        assert.equal(await page.evaluate(() => events.filter(({ type }) => type === "ready").length), 1);
        const client = await page.evaluateHandle(() => state.client);
        await page.evaluate(() => unmount());
        await workersGone(page, 4_500);
        const after = await client.evaluate((client) => client.session().catch(({ code }) => code));
        assert.equal(after, "disposed");
        assert.deepEqual(complaints, []);
      });
    }

    test("a renewal and a sign-out are seen", async (t) => {
      const { page, show, shows, last } = await setUp(t);
      await show(real);
      await shows(/^anon_/);
      const { token, userId } = await last();
      // Two tokens of one second are the same.
      await settle(1_100);
      await page.evaluate(() => state.client.refresh());
      await until("the new token", async () => (await last()).token !== token);
      assert.equal((await last()).userId, userId);
      await page.evaluate(() => state.client.signOut());
      await shows(/^…$/);
      assert.equal((await last()).isLoading, false);
      await page.evaluate(() => state.retry());
      await shows(/^anon_/);
      assert.notEqual((await last()).userId, userId);
    });

    test("options that change make another client, and show nothing of the old one", async (t) => {
      const { page, show, shows } = await setUp(t);
      const service = await startTimedService();
      t.after(service.close);
      await show({ ...real, label: "one" });
      await shows(/^anon_/);
      await show({ baseUrl: service.baseUrl, appId: APP_ID, label: "two" });
      await until("the second", async () =>
        page.evaluate(() => renders.at(-1).userId && renders.at(-1).label === "two"),
      );
      const users = await page.evaluate(() =>
        ["one", "two"].map((label) => [
          ...new Set(renders.filter((one) => one.label === label).map(({ userId }) => userId)),
        ]),
      );
      assert.equal(users[0].length, 2, "nothing, and then the one");
      assert.equal(users[1].length, 2);
      assert.notEqual(users[0].at(-1), users[1].at(-1));
      await until("one worker", () => page.workers().length === 1);
    });

    test("an error is told, and retry makes it good", async (t) => {
      const { page, show, shows, last } = await setUp(t);
      const service = await startTimedService();
      t.after(service.close);
      const { session } = service.routes;
      service.routes.session = async () => problem(404);
      await show({ baseUrl: service.baseUrl, appId: APP_ID }, true);
      await shows(/^app_not_found$/);
      assert.equal((await last()).isLoading, false);
      assert.deepEqual(
        service.asked(),
        ["challenge", "session"],
        "the first of the two mounts asks for nothing",
      );
      service.routes.session = session;
      await page.evaluate(() => state.retry());
      await shows(/^anon_/);
      assert.equal((await last()).code, undefined);
    });

    test("a stored session that is still valid is shown though the server fails; retry ends", async (t) => {
      const { page, show, shows, last } = await setUp(t);
      const service = await startTimedService();
      t.after(service.close);
      service.routes.challenge = async () => problem(403);
      // Half an hour is left: the hook tries to renew it first.
      await page.evaluate(
        ([key, text]) => localStorage.setItem(key, text),
        [
          `inkeep_session_${APP_ID}`,
          JSON.stringify({
            token: makeToken({
              sub: "anon_before",
              iat: Math.floor(Date.now() / 1000) - 30 * 86_400 + 1_800,
            }),
            expiresAt: inTheFuture(1_800_000),
          }),
        ],
      );
      await show({ baseUrl: service.baseUrl, appId: APP_ID });
      await shows(/^anon_before$/);
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const { isLoading, code } = await last();
        assert.deepEqual([isLoading, code], [false, undefined]);
        await page.evaluate(() => state.retry());
        await settle();
      }
      assert.equal((await last()).userId, "anon_before");
    });

    test("a renewal that fails does not take the session away", async (t) => {
      const { page, show, shows, last } = await setUp(t);
      const service = await startTimedService();
      t.after(service.close);
      await show({ baseUrl: service.baseUrl, appId: APP_ID });
      await shows(/^anon_/);
      const { userId } = await last();
      service.routes.challenge = async () => problem(403);
      await page.evaluate(() => state.client.refresh());
      await settle();
      const { isLoading, code, userId: after } = await last();
      assert.deepEqual([isLoading, code, after], [false, undefined, userId]);
    });

    test("a client of the caller's own: two components share it, and the unmount does not dispose it", async (t) => {
      const { page, shows } = await setUp(t);
      await page.evaluate(async (options) => {
        const { createClient } = await import("saltmine");
        globalThis.own = createClient(options);
        showTwo(own);
      }, real);
      await shows(/^(anon_[\w-]+)\s+\1$/);
      await until("one worker", () => page.workers().length === 1);
      const same = await page.evaluate(() => own.state === own.state && own.state.session.userId);
      assert.match(same, /^anon_/);
      await page.evaluate(() => unmount());
      assert.match(await page.evaluate(async () => (await own.session()).userId), /^anon_/);
      const disposed = await page.evaluate(() => {
        own[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
        return own.session().catch(({ code }) => code);
      });
      assert.equal(disposed, "disposed");
    });

    test("a signed-in user: the callback may be written inline; another user is another session", async (t) => {
      const service = await startTodaysService({ routes: "none" });
      t.after(service.close);
      const key = await makeUserKey();
      service.settings.apps[service.appId].publicKeys = [key.entry];
      const { page, shows, complaints } = await setUp(t);
      const tokens = { ann: await key.sign({ sub: "ann" }), bob: await key.sign({ sub: "bob" }) };
      await page.evaluate((tokens) => Object.assign(globalThis, { tokens }), tokens);
      const showUser = (options) => page.evaluate((options) => showUser(options), options);
      const options = { baseUrl: service.baseUrl, appId: service.appId };
      const stored = () =>
        page.evaluate((name) => localStorage.getItem(name), `inkeep_session_${service.appId}`);

      await showUser(options);
      await shows(/^anonymous anon_/);
      assert.match(await stored(), /token/);

      for (const label of ["first", "second"]) await showUser({ ...options, user: "ann", label });
      await shows(/^signed_in ann$/);
      assert.equal(await stored(), null);
      const [first, ...more] = await page.evaluate(() => calls);
      assert.deepEqual([first.slice(0, 2), more], [["session", "ann"], []]);
      await page.evaluate(() => state.client.refresh());
      assert.deepEqual(await page.evaluate(() => calls.at(-1)), ["renewal", "ann", "second"]);
      const status = await page.evaluate(
        async () => (await state.client.fetch("/run/v1/conversations")).status,
      );
      assert.equal(status, 200);

      await showUser({ ...options, user: "bob" });
      await shows(/^signed_in bob$/);
      await showUser(options);
      await shows(/^anonymous anon_/);
      assert.deepEqual(
        complaints.filter((text) => !text.includes("404")),
        [],
      );
    });

    test("a callback that fails is an error, and retry calls it again", async (t) => {
      const { page, shows } = await setUp(t);
      await page.evaluate(() => Object.assign(globalThis, { tokens: {} }));
      await page.evaluate((options) => showUser(options), { ...real, user: "ann" });
      await shows(/^auth_token_invalid$/);
      assert.equal(await page.evaluate(() => state.isLoading), false);
      const token = await (await makeUserKey()).sign({ sub: "ann" });
      await page.evaluate((token) => Object.assign(tokens, { ann: token }), token);
      await page.evaluate(() => state.retry());
      await shows(/^signed_in ann$/);
    });

    test("a call that fails before it starts is an error, and retry calls again", async (t) => {
      const { page, show, shows, last } = await setUp(t);
      await page.evaluate(() => {
        globalThis.kept = atob;
        globalThis.atob = undefined;
      });
      await show(real);
      await shows(/^runtime_unsupported$/);
      assert.equal((await last()).isLoading, false);
      await page.evaluate(() => {
        globalThis.atob = kept;
        state.retry();
      });
      await shows(/^anon_/);
      assert.equal((await last()).code, undefined);
    });

    for (const when of ["before the mount", "during the call"])
      test(`a client that is disposed ${when} is an error`, async (t) => {
        const { page, shows } = await setUp(t);
        const service = await startTimedService({ session: async () => {} });
        t.after(service.close);
        await page.evaluate(
          async ([options, when]) => {
            const { createClient } = await import("saltmine");
            globalThis.own = createClient(options);
            if (when === "before the mount") own.dispose();
            showTwo(own);
          },
          [{ baseUrl: service.baseUrl, appId: APP_ID }, when],
        );
        if (when === "during the call") {
          await until("the request", () => service.asked().includes("session"));
          await shows(/^…\s+…$/);
          await page.evaluate(() => own.dispose());
        }
        await shows(/^disposed\s+disposed$/);
      });

    test("a sign-out during the call is no error", async (t) => {
      const { page, shows } = await setUp(t);
      const service = await startTimedService({ session: async () => {} });
      t.after(service.close);
      await page.evaluate(
        async (options) => {
          const { createClient } = await import("saltmine");
          globalThis.own = createClient(options);
          showTwo(own);
        },
        { baseUrl: service.baseUrl, appId: APP_ID },
      );
      await until("the request", () => service.asked().includes("session"));
      await page.evaluate(() => own.signOut());
      await shows(/^nothing\s+nothing$/);
      await settle();
      await shows(/^nothing\s+nothing$/);
    });

    test("options that are wrong are an error, not a crash", async (t) => {
      const { show, shows, last } = await setUp(t);
      await show({ baseUrl: "nowhere", appId: "app_1" });
      await shows(/^invalid_options$/);
      assert.deepEqual([(await last()).isLoading, (await last()).hasClient], [false, false]);
      await show(real);
      await shows(/^anon_/);
    });
  });

  test(`React ${version} renders it on a server: loading, and nothing is started`, async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: `
          import { createElement } from "react";
          import { renderToString } from "react-dom/server";
          import { useSession } from "saltmine/react";
          const Widget = () => {
            const { session, error, isLoading, client } = useSession({ baseUrl: "https://api.example.com", appId: "app_1" });
            return createElement("p", null, JSON.stringify({ session, error, isLoading, client }));
          };
          console.log(renderToString(createElement(Widget)).replaceAll("&quot;", '"'));`,
        resolveDir: folder,
      },
      bundle: true,
      platform: "node",
      format: "esm",
      banner: {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
      write: false,
      logLevel: "error",
      external: ["saltmine"],
      plugins: [theSameReact(folder)],
    });
    const { code, stdout, stderr } = await runNode(project, outputFiles[0].text);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), '<p>{"isLoading":true}</p>');
  });
}

test("a server component can import it: bundlers find the directive, which comes first", async () => {
  assert.match(await readFile(join(installed, "dist", "react.js"), "utf8"), /^"use client";/);
});
