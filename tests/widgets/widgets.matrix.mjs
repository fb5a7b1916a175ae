/**
 * The published chat widgets in Chromium against the reference server: their own React, a page on another origin than
 * the API, on SQLite and PostgreSQL, with proof of work and without. A refusal by the API, a blocked preflight or an
 * uncaught error fails a test.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { exportSPKI, generateKeyPair, SignJWT } from "jose";
import { launchBrowser } from "../support/browser.mjs";
import { makeApp, startServer } from "../support/server.mjs";
import {
  assertNothingFailed,
  bundle,
  openHistory,
  ready,
  reopenConversation,
  say,
  servePage,
  shown,
  until,
  upvote,
  visit,
} from "./widget.mjs";

const KEY = "a management key for these tests";
const PROJECT = "/manage/tenants/default/projects/default";
const VERSIONS = { 0.15: "0.15.30", 0.17: "0.17.8" };

const browser = await launchBrowser();
const pages = {};
for (const name of Object.keys(VERSIONS)) pages[name] = await servePage(await bundle(name));
after(async () => {
  await browser.close();
  for (const page of Object.values(pages)) await page.close();
});

/** A call of the management API. */
async function manage(server, path, body) {
  const response = await fetch(`${server.baseUrl}${PROJECT}${path}`, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

/** The claims of a token. */
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

/** The user of the widget's last request with a token. */
function userOf({ log }) {
  const { headers } = log.findLast(({ headers }) => headers?.authorization);
  return claimsOf(headers.authorization.replace("Bearer ", "")).sub;
}

async function open(t, name, server, app, { token, ...aiChatSettings } = {}) {
  const page = pages[name];
  page.settings = {
    baseSettings: { userProperties: { plan: "free" } },
    aiChatSettings: { baseUrl: server.baseUrl, appId: app, ...aiChatSettings },
    token,
  };
  const widget = await visit(t, browser, page, server.baseUrl);
  await ready(widget, { isSignedIn: Boolean(token) });
  return widget;
}

/** Rows 1 to 7 and 9: a visitor chats, comes back, and continues the conversation. */
async function chat(t, name, server, { hasProofOfWork }) {
  const app = await makeApp({ baseUrl: server.baseUrl, key: KEY });
  const widget = await open(t, name, server, app, { headers: { "x-page-owner": "docs" } });
  const sent = (path) => widget.log.filter((entry) => entry.path === path && entry.method === "POST");
  // Without proof of work there is no challenge, which is what this status says.
  const isExpected = ({ path, status }) =>
    !hasProofOfWork && status === 404 && /^\/run\/auth\/(pow\/)?challenge/.test(path);

  // 1. A session, with proof of work where there is one.
  const [session] = sent(`/run/auth/apps/${app}/anonymous-session`);
  assert.equal("x-inkeep-challenge-solution" in session.headers, hasProofOfWork);
  const user = userOf(widget);
  assert.match(user, /^anon_/);

  // 2. and 3. Two messages and their answers.
  await say(widget, "Is anybody there?", 1);
  await say(widget, "And again?", 2);

  // 4. and 5. The history shows the conversation, and opening it its messages.
  await openHistory(widget, ["Is anybody there?"]);
  await reopenConversation(widget, 2);
  const both = ["Is anybody there?", "And again?"];
  assert.deepEqual(await shown(widget, "user"), both);
  assert.deepEqual(await shown(widget, "assistant"), both);

  // 6. After a reload, the same visitor with the same history.
  assertNothingFailed(widget, isExpected);
  widget.log.length = 0;
  await widget.tab.reload();
  await ready(widget);
  assert.equal(userOf(widget), user);
  await openHistory(widget, ["Is anybody there?"]);

  // 9. A message in the reopened conversation, thumbs up, events, and the headers of the page's owner.
  await reopenConversation(widget, 2);
  await say(widget, "Still there?", 3);
  const [chatRequest] = sent("/run/api/chat");
  assert.equal(chatRequest.headers["x-page-owner"], "docs");
  await upvote(widget);
  const [feedback] = (await manage(server, `/feedback?clientId=${app}`)).data;
  assert.deepEqual([feedback.type, feedback.userId], ["positive", user]);
  const conversation = await read(server, app, chatRequest.headers, feedback.conversationId);
  assert.deepEqual(
    conversation.messages.map(({ content }) => content),
    [...both, "Still there?"].flatMap((text) => [text, text]),
  );
  assert.equal(feedback.messageId, conversation.messages.at(-1).id, "the server issued the message's id");
  if (name === "0.17") {
    await until(widget, "the event of the thumbs up is stored", async () => {
      const { data } = await manage(server, `/events?clientId=${app}`);
      const types = data.filter(({ userId }) => userId === user).map(({ type }) => type);
      return ["user_message_submitted", "assistant_positive_feedback_submitted"].every((type) =>
        types.includes(type),
      );
    });
    const { data } = await manage(server, `/events?clientId=${app}&type=user_message_submitted`);
    assert.deepEqual(data[0].userProperties, { plan: "free" });
  }

  // 7. Nothing failed, before the reload and after it.
  assertNothingFailed(widget, isExpected);
}

/** A conversation as the run API gives it to the widget's visitor. */
async function read(server, app, { authorization, origin }, id) {
  const response = await fetch(`${server.baseUrl}/run/v1/conversations/${id}`, {
    headers: { authorization, origin, "x-inkeep-app-id": app },
  });
  assert.equal(response.status, 200);
  return (await response.json()).data;
}

/** Row 10: a user whom the page's owner vouches for. */
async function signedIn(t, server) {
  const pairs = {};
  for (const alg of ["ES256", "RS256"]) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    pairs[alg] = { kid: alg, algorithm: alg, publicKey: await exportSPKI(publicKey), privateKey };
  }
  const publicKeys = Object.values(pairs).map(({ kid, algorithm, publicKey }) => ({
    kid,
    algorithm,
    publicKey,
  }));
  const app = await makeApp({ baseUrl: server.baseUrl, key: KEY }, { allowedDomains: ["*"], publicKeys });
  const sign = (alg, sub, key = pairs[alg].privateKey) =>
    new SignJWT({ sub, name: "Ada" })
      .setProtectedHeader({ alg, kid: alg })
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(key);

  for (const alg of ["ES256", "RS256"]) {
    await t.test(alg, async (t) => {
      const sub = `user_${alg}`;
      const widget = await open(t, "0.17", server, app, { token: await sign(alg, sub) });
      await say(widget, "It is me", 1);
      await upvote(widget);
      await openHistory(widget, ["It is me"]);
      assert.equal(userOf(widget), sub);
      const paths = widget.log.map(({ path }) => path);
      assert.ok(!paths.some((path) => path.startsWith("/run/auth/")), `no session, no challenge: ${paths}`);
      const [feedback] = (await manage(server, `/feedback?clientId=${app}`)).data;
      assert.equal(feedback.userId, sub);
      assertNothingFailed(widget);
    });
  }

  await t.test("a foreign key is refused", async (t) => {
    const { privateKey } = await generateKeyPair("ES256");
    const page = pages["0.17"];
    const token = await sign("ES256", "user_ES256", privateKey);
    page.settings = { baseSettings: {}, aiChatSettings: { baseUrl: server.baseUrl, appId: app }, token };
    const widget = await visit(t, browser, page, server.baseUrl);
    const isHistory = ({ path }) => path.startsWith("/run/v1/conversations?");
    await until(widget, "the refusal is there", () =>
      widget.log.some((entry) => isHistory(entry) && entry.status),
    );
    const { status, body } = widget.log.find(isHistory);
    assert.equal(status, 401);
    assert.equal(JSON.parse(body).detail, "Invalid end-user JWT: its signature does not match its key");
    assert.ok(!widget.log.some(({ status }) => status < 400), "nothing is open to it");
    assert.deepEqual(widget.errors, []);
  });
}

for (const [database, url] of [
  ["SQLite", undefined],
  ["PostgreSQL", process.env.SALTMINE_TEST_POSTGRES_URL],
]) {
  const skip = database === "PostgreSQL" && !url && "SALTMINE_TEST_POSTGRES_URL is not set";
  describe(database, { skip }, async () => {
    if (skip) return;
    const start = async (env) => {
      const server = await startServer({
        INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: KEY,
        ...(url && { DATABASE_URL: url }),
        ...env,
      });
      after(server.stop);
      return server;
    };
    const server = await start({});
    const free = await start({ INKEEP_POW_HMAC_SECRET: "" });
    for (const [name, version] of Object.entries(VERSIONS)) {
      test(`${version} chats`, (t) => chat(t, name, server, { hasProofOfWork: true }));
      test(`${version} chats with proof of work off`, (t) => chat(t, name, free, { hasProofOfWork: false }));
    }
    test("0.17.8 with getAuthToken", (t) => signedIn(t, server));
  });
}
