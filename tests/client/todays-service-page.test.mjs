/** A page of another origin with today's service, whose CORS exposes no header: in Chromium. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { call, eventsOf, loaded, makeClient, openTab, startPages } from "../support/client-pages.mjs";
import { listen } from "../support/browser.mjs";
import { makeUserKey, problem, rateLimit, startTodaysService } from "../support/todays-service.mjs";

const pages = await startPages();
after(pages.close);

async function setUp(t, settings) {
  const service = await startTodaysService(settings);
  const context = await pages.browser.newContext();
  t.after(async () => {
    await context.close();
    await service.close();
  });
  const page = await openTab(context, pages.site.origin);
  const complaints = listen(page);
  const asked = () =>
    service.requests.splice(0).map(({ method, path }) => `${method} ${path.split("/").at(-1)}`);
  await makeClient(page, { baseUrl: service.baseUrl });
  const reload = async () => {
    await page.reload();
    await loaded(page);
    await makeClient(page, { baseUrl: service.baseUrl });
  };
  return { service, page, context, complaints, asked, reload };
}

/** A message as widgets send it; resolves to the stream's text. */
const chat = (page, text) =>
  page.evaluate(async (text) => {
    const response = await client.fetch("/run/api/chat", {
      method: "POST",
      headers: { "Content-Type": "application/json", "x-inkeep-client-timezone": "UTC" },
      body: JSON.stringify({ messages: [{ role: "user", parts: [{ type: "text", text }] }] }),
    });
    return [response.status, await response.text()];
  }, text);

for (const version of [1, 2])
  test(`version ${version}: a session, a chat, and the same visitor after a reload`, async (t) => {
    const { page, service, complaints, asked, reload } = await setUp(t, { version });
    const { userId, token } = await call(page, "session");
    assert.match(userId, /^anon_/);
    assert.deepEqual(asked(), ["GET challenge", "POST anonymous-session"]);
    const [status, stream] = await chat(page, "Hello");
    assert.equal(status, 200);
    assert.match(stream, /"delta":"Hello"/);
    const [sent] = service.requests;
    assert.equal(sent.headers.cookie, undefined);
    assert.equal(sent.headers.origin, pages.site.origin);
    await reload();
    assert.equal((await call(page, "session")).token, token);
    assert.equal((await call(page, "refresh")).userId, userId);
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).sort()), [
      `inkeep_session_${service.appId}`,
      ...(version === 2 ? [`saltmine_challenge_${service.baseUrl}`] : []),
    ]);
    assert.deepEqual(complaints, []);
  });

test("the older route: the newer one is requested once, not after a reload", async (t) => {
  const { page, asked, reload, complaints } = await setUp(t, { routes: "older" });
  await call(page, "session");
  assert.deepEqual(asked(), ["GET challenge", "GET challenge", "POST anonymous-session"]);
  await reload();
  await call(page, "refresh");
  assert.deepEqual(asked(), ["GET challenge", "POST anonymous-session"]);
  assert.deepEqual(
    complaints.filter((text) => !/404/.test(text)),
    [],
  );
});

test("a 404 of the newer route without CORS headers is a network failure; challengePath avoids it", async (t) => {
  const { page, service, asked } = await setUp(t, { routes: "older" });
  const elsewhere = { "access-control-allow-origin": "https://example.org" };
  service.refusals.set("/run/auth/challenge", () => ({ ...problem(404, "Not found"), headers: elsewhere }));
  assert.equal((await call(page, "session")).code, "network");
  assert.deepEqual(asked(), Array(4).fill("GET challenge"));
  await makeClient(page, { baseUrl: service.baseUrl, challengePath: "/run/auth/pow/challenge" });
  assert.match((await call(page, "session")).userId, /^anon_/);
  assert.deepEqual(asked(), ["GET challenge", "POST anonymous-session"]);
});

/** A call of `client.fetch` as widgets make it: `[status, body, the headers that the page can read]`. */
const send = (page, path, body) =>
  page.evaluate(
    async ([path, body]) => {
      const response = await client.fetch(path, {
        ...(body && { method: "POST", body: JSON.stringify(body) }),
        headers: { "Content-Type": "application/json", "x-inkeep-client-timezone": "UTC" },
      });
      return [response.status, await response.json(), Object.fromEntries(response.headers)];
    },
    [path, body],
  );

test("an event before the first message, the history, a conversation, and feedback on its answer", async (t) => {
  const { page, service, complaints } = await setUp(t);
  const event = { type: "user_message_submitted", id: "event-1", conversationId: "conv_1" };
  const [status, { data: stored }] = await send(page, "/run/v1/events", event);
  assert.deepEqual([status, stored.conversationId], [201, "conv_1"]);
  assert.equal((await send(page, "/run/v1/events", event))[0], 200);
  const message = { conversationId: "conv_1", messages: [{ role: "user", content: "Hello" }] };
  const [, { id }] = await send(page, "/run/api/chat", { ...message, stream: false });

  const [, { data: list }] = await send(page, "/run/v1/conversations?page=1&limit=20");
  assert.deepEqual(
    list.map(({ id, title }) => [id, title]),
    [["conv_1", "Hello"]],
  );
  const [, { data: conversation }] = await send(page, "/run/v1/conversations/conv_1");
  assert.deepEqual(
    conversation.messages.map(({ role, content }) => [role, content]),
    [
      ["user", "Hello"],
      ["assistant", "Hello"],
    ],
  );
  const messageId = conversation.messages[1].id;
  assert.equal(messageId, id);
  const feedback = { conversationId: "conv_1", messageId, type: "positive" };
  const [code, { data: given }] = await send(page, "/run/v1/feedback", feedback);
  assert.deepEqual([code, given.messageId], [201, messageId]);
  const { userId } = await call(page, "session");
  assert.deepEqual(
    [...service.stored.events, ...service.stored.feedback].map(({ sub }) => sub),
    [userId, userId],
  );
  assert.deepEqual(complaints, []);
});

test("a 429 of the run API: its Retry-After is not to be read, its body is", async (t) => {
  const { page, service } = await setUp(t);
  service.refusals.set("/run/v1/events", rateLimit(17));
  const [status, { code, requestId }, headers] = await send(page, "/run/v1/events", { type: "chat_opened" });
  assert.deepEqual([status, code], [429, "too_many_requests"]);
  assert.match(requestId, /^[\da-f-]{36}$/);
  assert.deepEqual(Object.keys(headers).sort(), ["cache-control", "content-type"]);
  assert.equal(service.requests.filter(({ path }) => path === "/run/v1/events").length, 1);
});

for (const [what, path, most] of [
  ["session", "/run/auth/apps/app_0123456789abcdef/anonymous-session", 5],
  ["challenge", "/run/auth/challenge", 4],
]) {
  test(`a 429 of the ${what}: it is repeated by the client's own waits, since Retry-After is not to be read`, async (t) => {
    const { page, service } = await setUp(t);
    service.refusals.set(path, rateLimit(3_600, 2));
    assert.match((await call(page, "session")).userId, /^anon_/);
    assert.equal(service.requests.filter((request) => request.path === path).length, 3);
    const states = (await eventsOf(page, "state")).map(({ state }) => state);
    assert.equal(states.filter((state) => state === "waiting").length, 2, states.join());
  });

  test(`the ${what} is always refused with 429: rate_limited after three repeats, without a time`, async (t) => {
    const { page, service } = await setUp(t);
    service.refusals.set(path, rateLimit(3_600));
    const error = await page.evaluate(async () => {
      const began = performance.now();
      const error = await client.session().catch((thrown) => thrown);
      const { code, status, retryable, retryAfterMs, requestId, message } = error;
      return { code, status, retryable, retryAfterMs, requestId, message, ms: performance.now() - began };
    });
    const { code, status, retryable, retryAfterMs, requestId, message, ms } = error;
    assert.deepEqual([code, status, retryable, retryAfterMs], ["rate_limited", 429, true, undefined]);
    // The problem document has it too.
    assert.match(requestId, /^[\da-f-]{36}$/);
    assert.match(message, /Too many requests$/);
    // Waits of up to 0.5, 1 and 2 s.
    assert.ok(ms < 8_000, `${ms} ms`);
    assert.equal(service.requests.length, most);
    service.refusals.clear();
    assert.match((await call(page, "session")).userId, /^anon_/);
  });
}

test("a signed-in user: no challenge, nothing stored, in two tabs; a sign-in is a sign-out of the anonymous visitor elsewhere", async (t) => {
  const { page, context, service, asked, complaints } = await setUp(t, { routes: "none" });
  const key = await makeUserKey("RS256");
  service.settings.apps[service.appId].publicKeys = [key.entry];
  await call(page, "session");
  asked();
  const other = await openTab(context, pages.site.origin);
  const options = { baseUrl: service.baseUrl, appId: service.appId };
  await other.evaluate(
    ([options, token]) => {
      globalThis.client = make({ ...options, getAuthToken: async () => token });
    },
    [options, await key.sign({ sub: "ann" })],
  );
  const { userId, kind } = await call(other, "session");
  assert.deepEqual([userId, kind], ["ann", "signed_in"]);
  assert.deepEqual(await chat(other, "Hi").then(([status]) => status), 200);
  assert.deepEqual(asked(), ["POST chat"]);
  assert.equal(await other.evaluate(() => localStorage.getItem("inkeep_session_app_0123456789abcdef")), null);
  await page.waitForFunction(() => events.some(({ state }) => state === "signed_out"));
  // The anonymous visitor's new session does not reach the user's tab.
  await call(page, "session");
  assert.equal((await call(other, "session")).userId, "ann");
  assert.deepEqual(
    (await eventsOf(other, "state")).map(({ state }) => state),
    ["starting", "ready"],
  );
  assert.deepEqual(
    complaints.filter((text) => !/404/.test(text)),
    [],
  );
});
