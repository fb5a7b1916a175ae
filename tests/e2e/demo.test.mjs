/** The demo page as visitors meet it: the built page, the real server, headless Chromium. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { launchBrowser, openPage, workersGone } from "../support/browser.mjs";
import { root } from "../support/paths.mjs";
import { DEMO_APP_ID, makeApp, startServer } from "../support/server.mjs";
import { serveFiles } from "../support/static.mjs";

const MANAGEMENT_KEY = "a management key for these tests alone";
const built = { SALTMINE_STATIC_DIR: join(root, "www", "dist") };
const server = await startServer({ ...built, INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: MANAGEMENT_KEY });
const manager = { baseUrl: server.baseUrl, key: MANAGEMENT_KEY };
const elsewhere = await serveFiles({ folders: { "/": built.SALTMINE_STATIC_DIR }, files: {} });
const browser = await launchBrowser();
after(async () => {
  await browser.close();
  await elsewhere.close();
  await server.stop();
});

const WIDE = { viewport: { width: 1280, height: 900 } };
const NARROW = { viewport: { width: 360, height: 720 }, hasTouch: true, isMobile: true };

/** A visit. `settled` waits until the page has a session or says why it has none. */
async function visit(t, url = server.baseUrl, options = WIDE) {
  const { page, context, complaints } = await openPage(browser, url, options);
  t.after(() => context.close());
  const part = (name) => page.getByTestId(name);
  const settled = async (state) => {
    const found = page.locator('[data-testid="status"]:is([data-state="ready"],[data-state="failed"])');
    await found.waitFor({ timeout: 15_000 });
    const error = (await part("error").textContent()) ?? "";
    assert.equal(await part("status").getAttribute("data-state"), state, error);
    return error;
  };
  const userId = () => part("user-id").textContent();
  const messages = async () =>
    (await part("chat-message").all()).reduce(
      async (list, message) => [
        ...(await list),
        [await message.getAttribute("data-role"), await message.textContent()],
      ],
      Promise.resolve([]),
    );
  const answered = (count) =>
    page
      .locator('[data-testid="chat-message"][data-role="assistant"][data-state="done"]')
      .nth(count - 1)
      .waitFor({ timeout: 15_000 });
  return { page, context, complaints, part, settled, userId, messages, answered };
}

const address = (parameters, base = server.baseUrl) => `${base}/?${new URLSearchParams(parameters)}`;

describe("the session", () => {
  test("comes through a worker with SIMD, and the page says so; nothing is red in the console", async (t) => {
    const { page, complaints, part, settled, userId } = await visit(t);
    await settled("ready");
    assert.equal(await part("engine").textContent(), "simd128");
    assert.equal(await part("thread").textContent(), "worker");
    assert.match(await userId(), /^anon_[0-9a-f-]{36}$/);
    assert.equal(await part("source").getAttribute("data-source"), "network");
    assert.ok(Number(await part("took-ms").getAttribute("data-value")) > 0);
    const days = (Date.parse(await part("expires-at").getAttribute("datetime")) - Date.now()) / 86_400_000;
    assert.ok(days > 29.9 && days <= 30, `${days} days`);
    assert.ok(await part("failure").isHidden());
    await workersGone(page, 25_000);
    assert.deepEqual(complaints, []);
  });

  test("is the same after a reload, from storage", async (t) => {
    const { page, part, settled, userId } = await visit(t);
    await settled("ready");
    const before = await userId();
    await page.reload();
    await settled("ready");
    assert.equal(await userId(), before);
    assert.equal(await part("source").getAttribute("data-source"), "storage");
  });

  test("of a new identity is another one, and stays so", async (t) => {
    const { page, part, settled, userId } = await visit(t);
    await settled("ready");
    const before = await userId();
    await part("new-identity").click();
    await page.waitForFunction(
      (old) =>
        /^anon_/.test(document.querySelector('[data-testid="user-id"]').textContent) &&
        document.querySelector('[data-testid="user-id"]').textContent !== old,
      before,
    );
    const now = await userId();
    await page.reload();
    await settled("ready");
    assert.equal(await userId(), now);
  });

  test("needs no proof of work where the server has it switched off", async (t) => {
    const off = await startServer({ ...built, INKEEP_POW_HMAC_SECRET: "" });
    t.after(off.stop);
    const { part, settled, userId } = await visit(t, off.baseUrl);
    await settled("ready");
    assert.match(await userId(), /^anon_/);
    assert.match(await part("proof-of-work").textContent(), /off|not asked/i);
  });

  test("is not kept by a visitor in two tabs twice: both have the same", async (t) => {
    const { context, settled, userId } = await visit(t);
    await settled("ready");
    const second = await context.newPage();
    await second.goto(server.baseUrl);
    await second.locator('[data-testid="status"][data-state="ready"]').waitFor();
    assert.equal(await second.getByTestId("user-id").textContent(), await userId());
  });
});

describe("a signed-in user", () => {
  const isUser = (page, pattern) =>
    page.waitForFunction(
      (source) =>
        new RegExp(source).test(document.querySelector('[data-testid="user-id"]').textContent) &&
        document.querySelector('[data-testid="status"]').dataset.state === "ready",
      pattern.source,
    );

  for (const [size, options] of Object.entries({ 1280: WIDE, 360: NARROW })) {
    test(`chats with a token of the page, and signs out: ${size} pixels`, async (t) => {
      const { page, complaints, part, settled, userId, messages, answered } = await visit(
        t,
        server.baseUrl,
        options,
      );
      await settled("ready");
      const anonymous = await userId();
      const requests = [];
      page.on("request", (request) => requests.push(new URL(request.url()).pathname));
      await part("sign-in").click();
      await isUser(page, /^ada@example\.com$/);
      assert.equal(await part("source").getAttribute("data-source"), "callback");
      assert.ok(await part("new-identity").isHidden());
      if (options === NARROW) await part("chat-launcher").click();
      await part("chat-input").fill("It is me");
      await part("chat-input").press("Enter");
      await answered(1);
      assert.deepEqual((await messages()).at(-1), ["assistant", "It is me"]);
      const calls = requests.filter((path) => !path.startsWith("/assets/"));
      assert.deepEqual([...new Set(calls)], ["/development/demo-keys", "/run/api/chat"]);
      if (options === NARROW) await part("chat-close").click();

      await part("sign-in").click();
      await isUser(page, /^anon_/);
      assert.notEqual(await userId(), anonymous, "the anonymous session was forgotten");
      assert.deepEqual(complaints, []);
    });
  }

  test("cannot be made where the server takes no keys from a page", async (t) => {
    // A production server does not have the route.
    const production = await startServer({
      ...built,
      SALTMINE_ENV: "production",
      INKEEP_ANON_JWT_SECRET: "a session secret for this test, 32 characters",
      INKEEP_POW_HMAC_SECRET: "",
      INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: MANAGEMENT_KEY,
    });
    t.after(production.stop);
    const app = await makeApp({ baseUrl: production.baseUrl, key: MANAGEMENT_KEY });
    const { page, part, settled } = await visit(t, address({ appId: app }, production.baseUrl));
    await settled("ready");
    await part("sign-in").click();
    await part("sign-in-failure").waitFor();
    assert.match(await part("sign-in-failure").textContent(), /npm start/);
    assert.match(await page.getByTestId("user-id").textContent(), /^anon_/);
  });
});

describe("a page on another origin", () => {
  test("gets its session and chats through CORS", async (t) => {
    const { part, settled, messages, answered, complaints } = await visit(
      t,
      address({ baseUrl: server.baseUrl, appId: DEMO_APP_ID }, elsewhere.origin),
    );
    await settled("ready");
    assert.equal(await part("thread").textContent(), "worker");
    await part("chat-input").fill("From afar");
    await part("chat-send").click();
    await answered(1);
    assert.match((await messages())[1][1], /From afar/);
    assert.deepEqual(complaints, []);
  });

  test("that the app does not allow is told so, and where", async (t) => {
    const appId = await makeApp(manager, { allowedDomains: ["example.com"] });
    const { part, settled } = await visit(t, address({ appId }));
    const error = await settled("failed");
    assert.match(error, /origin/);
    assert.match(error, /allowedDomains/);
    assert.equal(await part("error").getAttribute("data-code"), "origin_not_allowed");
    assert.ok(await part("error").isVisible());
    assert.match(await part("error-facts").textContent(), new RegExp(new URL(server.baseUrl).host));
  });

  test("that the app names is let in", async (t) => {
    const appId = await makeApp(manager, { allowedDomains: ["127.0.0.1"] });
    const { settled } = await visit(t, address({ appId }));
    await settled("ready");
  });
});

describe("a failure", () => {
  const failures = [
    ["an app that nobody knows", { appId: "app_nobody0000000000" }, "app_not_found"],
    ["an app id that is none", { appId: "../../x" }, ""],
    ["a base URL that is none", { baseUrl: "javascript:alert(1)" }, ""],
    ["a server that is not there", { baseUrl: "http://127.0.0.1:9" }, "network"],
  ];
  for (const [what, parameters, code] of failures) {
    test(`is told on the page: ${what}`, async (t) => {
      const { part, settled } = await visit(t, address(parameters));
      assert.match(await settled("failed"), /^[A-Z].{15,}/);
      assert.ok(await part("error").isVisible());
      assert.equal((await part("error").getAttribute("data-code")) ?? "", code);
    });
  }

  test("of an app without anonymous sessions is told on the page", async (t) => {
    const appId = await makeApp(manager, { allowedDomains: ["*"], allowAnonymous: false });
    const { settled } = await visit(t, address({ appId }));
    assert.match(await settled("failed"), /allowAnonymous/);
  });

  test("goes away when its cause does", async (t) => {
    const { context, page, part, settled } = await visit(t, address({ appId: "app_nobody0000000000" }));
    await settled("failed");
    await context.route("**/run/auth/**", (route) => route.abort());
    await page.goto(server.baseUrl);
    await settled("failed");
    await context.unroute("**/run/auth/**");
    await part("retry").click();
    await page.locator('[data-testid="status"][data-state="ready"]').waitFor();
    assert.ok(await part("failure").isHidden());
  });
});

describe("the chat", () => {
  test("answers, turn after turn, in one conversation", async (t) => {
    const { part, settled, messages, answered, complaints } = await visit(t);
    await settled("ready");
    await part("chat-input").fill("Ahoy <b>there</b> 😀");
    await part("chat-send").click();
    await answered(1);
    await part("chat-input").fill("And again");
    await part("chat-input").press("Enter");
    await answered(2);
    const turns = await messages();
    assert.deepEqual(
      turns.map(([role]) => role),
      ["user", "assistant", "user", "assistant"],
    );
    assert.equal(turns[0][1], "Ahoy <b>there</b> 😀");
    assert.ok(turns[1][1].includes("Ahoy <b>there</b> 😀"), turns[1][1]);
    assert.ok(turns[3][1].includes("And again"), turns[3][1]);
    assert.deepEqual(complaints, []);
  });

  test("tells when the connection fails, and sends again", async (t) => {
    const { context, part, settled, messages, answered } = await visit(t);
    await settled("ready");
    await context.setOffline(true);
    await part("chat-input").fill("Is anybody there?");
    await part("chat-send").click();
    await part("chat-error").waitFor();
    await context.setOffline(false);
    await part("chat-retry").click();
    await answered(1);
    assert.ok((await messages()).at(-1)[1].includes("Is anybody there?"));
    assert.equal(await part("chat-error").count(), 0);
  });
});

describe("keyboard and small screens", () => {
  test("everything of the chat works without a mouse", async (t) => {
    const { page, part, settled, messages, answered } = await visit(t, server.baseUrl, {
      viewport: { width: 900, height: 700 },
    });
    await settled("ready");
    const focused = () => page.evaluate(() => document.activeElement?.dataset.testid);
    for (let i = 0; i < 40 && (await focused()) !== "chat-launcher"; i += 1) await page.keyboard.press("Tab");
    assert.equal(await focused(), "chat-launcher", "the launcher can be reached");
    const outline = await page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
      return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
    });
    assert.ok(outline, "the focus can be seen");

    await page.keyboard.press("Enter");
    assert.equal(await focused(), "chat-input");
    await page.keyboard.type("By hand");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("in two lines");
    await page.keyboard.press("Enter");
    await answered(1);
    assert.equal((await messages())[0][1], "By hand\nin two lines");
    await page.keyboard.press("Escape");
    assert.ok(await part("chat-panel").isHidden());
    assert.equal(await focused(), "chat-launcher");
  });

  test("360 px are enough: nothing scrolls sideways, with the chat open or closed", async (t) => {
    const { page, part, settled, answered } = await visit(t, server.baseUrl, NARROW);
    await settled("ready");
    const width = () =>
      page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth));
    assert.equal(await width(), 360);
    await part("chat-launcher").tap();
    await part("chat-input").fill(`A ${"very".repeat(60)} long word`);
    await part("chat-send").tap();
    await answered(1);
    assert.equal(await width(), 360);
    const log = await part("chat-log").evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
    assert.equal(log, 0, "nor does the conversation");
  });

  test("360 px are enough for a failure", async (t) => {
    const { page, settled } = await visit(t, address({ appId: "app_nobody0000000000" }), NARROW);
    await settled("failed");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  });

  test("every control has a name that can be read out", async (t) => {
    const { page, part, settled } = await visit(t);
    await settled("ready");
    assert.ok(await part("chat-panel").isVisible(), "wide pages open the chat by themselves");
    const tree = await page.locator("body").ariaSnapshot();
    assert.doesNotMatch(tree, /^\s*- (button|textbox|combobox|link|progressbar)( \[.*\])?:?$/m, tree);
  });
});
