/** `client.fetch` with the run API of a simulation of today's service, and the client under that service's rate limit. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { installTarball } from "../support/tarball.mjs";
import { makeUserKey, rateLimit, startTodaysService } from "../support/todays-service.mjs";

const { entryPoints, remove } = await installTarball();
const { createClient, SaltmineError } = await import(entryPoints.node);
after(remove);

const CHALLENGE = "/run/auth/challenge";
const bounded = { timeout: 20_000 };

/** A service, and `make()`, clients of it: each one another visitor. */
async function setUp(t, settings = {}, options = {}) {
  const service = await startTodaysService(settings);
  const clients = [];
  const make = (more = {}) => {
    const client = createClient({
      baseUrl: service.baseUrl,
      appId: service.appId,
      storage: "memory",
      ...options,
      ...more,
    });
    clients.push(client);
    return client;
  };
  t.after(async () => {
    for (const client of clients) client.dispose();
    await service.close();
  });
  const session = `/run/auth/apps/${service.appId}/anonymous-session`;
  /** The requests of a path so far. */
  const sent = (path) => service.requests.filter((request) => request.path === path);
  return { service, client: make(), make, session, sent };
}

const post = (client, path, body) =>
  client.fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

/** The status of a response, and its body. */
const read = async (response) => [(await response).status, await (await response).json()];

/** Sends a message as widgets do; resolves to the id of the answer. */
async function chat(client, conversationId, text) {
  const messages = [{ id: `user-${text}`, role: "user", parts: [{ type: "text", text }] }];
  const response = await post(client, "/run/api/chat", { conversationId, messages });
  assert.equal(response.status, 200);
  return /"type":"start","messageId":"(msg_[^"]+)"/.exec(await response.text())[1];
}

describe("client.fetch", () => {
  test("conversations: a list with the newest first, in pages", bounded, async (t) => {
    const { client, make } = await setUp(t);
    for (const [id, text] of [
      ["conv_1", "One"],
      ["conv_2", "Two"],
      ["conv_3", "Three"],
      ["conv_1", "Four"],
    ])
      await chat(client, id, text);
    const [status, { data, pagination }] = await read(client.fetch("/run/v1/conversations"));
    assert.equal(status, 200);
    assert.deepEqual(
      data.map(({ id, title }) => [id, title]),
      [
        ["conv_1", "One"],
        ["conv_3", "Three"],
        ["conv_2", "Two"],
      ],
    );
    assert.deepEqual(Object.keys(data[0]), ["id", "agentId", "title", "createdAt", "updatedAt"]);
    assert.deepEqual(pagination, { page: 1, limit: 20, total: 3, pages: 1 });
    const [, second] = await read(client.fetch("/run/v1/conversations?page=2&limit=2"));
    assert.deepEqual(
      second.data.map(({ id }) => id),
      ["conv_2"],
    );
    assert.deepEqual(second.pagination, { page: 2, limit: 2, total: 3, pages: 2 });
    const [, { data: others }] = await read(make().fetch("/run/v1/conversations"));
    assert.deepEqual(others, []);
  });

  test("a conversation: its messages in pages, with the ids that the stream named", bounded, async (t) => {
    const { client } = await setUp(t);
    const answers = [await chat(client, "conv_1", "One"), await chat(client, "conv_1", "Two")];
    const [status, { data, pagination }] = await read(client.fetch("/run/v1/conversations/conv_1"));
    assert.equal(status, 200);
    assert.equal(data.title, "One");
    assert.deepEqual(
      data.messages.map(({ id, role, content }) => [id, role, content]),
      [
        ["user-One", "user", "One"],
        [answers[0], "assistant", "One"],
        ["user-Two", "user", "Two"],
        [answers[1], "assistant", "Two"],
      ],
    );
    assert.deepEqual(data.messages[3].parts, [{ type: "text", text: "Two" }]);
    assert.equal(pagination.total, 4);
    const [, first] = await read(client.fetch("/run/v1/conversations/conv_1?limit=3"));
    assert.deepEqual(
      first.data.messages.map(({ id }) => id),
      [answers[0], "user-Two", answers[1]],
    );
  });

  test("another visitor's conversation is the caller's 404: one request, no renewal", bounded, async (t) => {
    const { client, make, sent, session } = await setUp(t);
    await chat(client, "conv_1", "Mine");
    const other = make();
    await other.session();
    for (const response of [
      other.fetch("/run/v1/conversations/conv_1"),
      post(other, "/run/v1/feedback", { conversationId: "conv_1", type: "positive" }),
      post(other, "/run/api/chat", { conversationId: "conv_1", messages: [{ role: "user", content: "!" }] }),
    ]) {
      const [status, { code, detail, reason, requestId }] = await read(response);
      assert.deepEqual(
        [status, code, detail, reason],
        [404, "not_found", "Conversation not found", undefined],
      );
      assert.equal((await response).headers.get("x-request-id"), requestId);
    }
    assert.equal(sent("/run/v1/conversations/conv_1").length, 1);
    assert.equal(sent("/run/v1/feedback").length, 1);
    assert.equal(sent(session).length, 2);
  });

  test("events: before their conversation exists, and once for each id", bounded, async (t) => {
    const { service, client, sent } = await setUp(t);
    const submitted = { type: "user_message_submitted", id: "event-1", conversationId: "conv_new" };
    const [status, { data }] = await read(post(client, "/run/v1/events", submitted));
    assert.equal(status, 201);
    assert.deepEqual([data.id, data.type, data.conversationId], ["event-1", submitted.type, "conv_new"]);
    assert.deepEqual(await read(post(client, "/run/v1/events", submitted)), [200, { data }]);
    for (const members of [
      { conversationId: "", metadata: { conversationId: "conv_new" } },
      { properties: { page: "/pricing" }, userProperties: { plan: "free" } },
    ]) {
      const [status] = await read(post(client, "/run/v1/events", { type: "chat_opened", ...members }));
      assert.equal(status, 201);
    }
    const { userId, token } = await client.session();
    assert.deepEqual(
      service.stored.events.map(({ sub, data }) => [sub, data.conversationId]),
      [
        [userId, "conv_new"],
        [userId, "conv_new"],
        [userId, null],
      ],
    );
    for (const { headers, body } of sent("/run/v1/events")) {
      assert.equal(headers.authorization, `Bearer ${token}`);
      assert.equal(headers["x-inkeep-app-id"], service.appId);
      assert.ok(JSON.parse(body).type);
    }
    const [refused, { detail }] = await read(post(client, "/run/v1/events", {}));
    assert.deepEqual([refused, detail], [422, "type: must be a text"]);
  });

  test("feedback on an answer and on a conversation", bounded, async (t) => {
    const { service, client } = await setUp(t);
    const messageId = await chat(client, "conv_1", "One");
    const details = { reason: "It is right." };
    const [status, { data }] = await read(
      post(client, "/run/v1/feedback", { conversationId: "conv_1", messageId, type: "positive", details }),
    );
    assert.equal(status, 201);
    assert.deepEqual([data.messageId, data.type, data.details], [messageId, "positive", details]);
    const whole = { conversationId: "conv_1", type: "negative" };
    assert.equal((await post(client, "/run/v1/feedback", whole)).status, 201);
    assert.equal(service.stored.feedback.length, 2);
  });

  test("a token that is refused is renewed, and the event is sent again whole", bounded, async (t) => {
    const { service, client, sent, session } = await setUp(t);
    const { userId } = await client.session();
    let left = 1;
    service.refusals.set("/run/v1/events", () =>
      left-- > 0 ? { status: 401, body: { detail: "Invalid end-user JWT" } } : undefined,
    );
    const [status, { data }] = await read(post(client, "/run/v1/events", { type: "chat_opened" }));
    assert.deepEqual([status, data.type], [201, "chat_opened"]);
    assert.equal(service.stored.events[0].sub, userId);
    const [first, second] = sent("/run/v1/events");
    assert.equal(first.body, second.body);
    assert.notEqual(first.headers.authorization, second.headers.authorization);
    assert.equal(sent(session).length, 2);
  });

  test("a solution goes with every one of them where the option says so", bounded, async (t) => {
    const { service, client } = await setUp(t, { version: 2 }, { challenge: "every-request" });
    await chat(client, "conv_1", "One");
    await post(client, "/run/v1/events", { type: "chat_opened" });
    await post(client, "/run/v1/feedback", { conversationId: "conv_1", type: "positive" });
    await client.fetch("/run/v1/conversations");
    const solutions = service.requests
      .filter(({ path }) => /^\/run\/(api|v1)\//.test(path))
      .map(({ headers }) => headers["x-inkeep-challenge-solution"]);
    assert.equal(solutions.length, 4);
    assert.equal(new Set(solutions.filter(Boolean)).size, 4);
  });

  test("a signed-in user has conversations of their own", bounded, async (t) => {
    const { service, client, make } = await setUp(t);
    const key = await makeUserKey();
    service.settings.apps[service.appId].publicKeys = [key.entry];
    const ann = make({ getAuthToken: () => key.sign({ sub: "ann" }) });
    await chat(client, "conv_1", "A visitor's");
    await chat(ann, "conv_2", "Ann's");
    const [, { data }] = await read(ann.fetch("/run/v1/conversations"));
    assert.deepEqual(
      data.map(({ id }) => id),
      ["conv_2"],
    );
    assert.equal((await ann.fetch("/run/v1/conversations/conv_1")).status, 404);
  });

  test("the completions route: chunks, and the conversation that they name", bounded, async (t) => {
    const { client } = await setUp(t);
    const response = await post(client, "/run/v1/chat/completions", {
      model: "agent",
      messages: [{ role: "user", content: "Hello" }],
      stream: true,
    });
    const lines = (await response.text()).trim().split("\n\n");
    assert.equal(lines.pop(), "data: [DONE]");
    const chunks = lines.map((line) => JSON.parse(line.slice("data: ".length)));
    assert.equal(chunks[0].choices[0].delta.content, "Hello");
    assert.equal((await client.fetch(`/run/v1/conversations/${chunks[0].conversationId}`)).status, 200);
  });

  test("a 429 is the caller's, with its Retry-After: one request", bounded, async (t) => {
    const { service, client, sent, session } = await setUp(t, {}, { challenge: "every-request" });
    await client.session();
    for (const path of ["/run/api/chat", "/run/v1/events", "/run/v1/feedback"]) {
      service.refusals.set(path, rateLimit(17));
      const response = await post(client, path, {});
      assert.deepEqual([response.status, response.headers.get("retry-after")], [429, "17"]);
      assert.equal((await response.json()).code, "too_many_requests");
      assert.equal(sent(path).length, 1);
    }
    assert.equal(sent(session).length, 1);
  });
});

/** The time since the response came is not waited again. */
const assertAnHour = (ms) => assert.ok(ms > 3_590_000 && ms <= 3_600_000, `${ms} ms`);

describe("the rate limit", () => {
  for (const [what, pathOf] of [
    ["session", ({ session }) => session],
    ["challenge", () => CHALLENGE],
  ]) {
    test(`of the ${what}: the request is sent again when Retry-After says`, bounded, async (t) => {
      const states = [];
      const onEvent = ({ type, state }) => type === "state" && states.push(state);
      const made = await setUp(t, {}, { onEvent });
      const { service, client, sent, session } = made;
      service.refusals.set(pathOf(made), rateLimit(1, 1));
      const began = performance.now();
      assert.match((await client.session()).userId, /^anon_/);
      assert.ok(performance.now() - began >= 1_000);
      assert.ok(states.includes("waiting"), states.join());
      assert.equal(sent(pathOf(made)).length, 2);
      assert.equal(sent("/run/auth/pow/challenge").length, 0, "a limit is no missing route");
      // The refused request spent nothing: it is sent again with the same solution.
      const solutions = sent(session).map(({ headers }) => headers["x-inkeep-challenge-solution"]);
      assert.equal(new Set(solutions).size, 1);
      assert.equal(sent(CHALLENGE).length, what === "challenge" ? 2 : 1);
    });

    test(`of the ${what}, for an hour: rate_limited at once, with the time`, bounded, async (t) => {
      const made = await setUp(t);
      const { service, client, sent, session } = made;
      service.refusals.set(pathOf(made), rateLimit(3_600));
      const began = performance.now();
      const error = await client.session().catch((thrown) => thrown);
      assert.ok(performance.now() - began < 5_000);
      assert.ok(error instanceof SaltmineError, String(error));
      const { code, status, retryable, retryAfterMs, requestId, message } = error;
      assert.deepEqual([code, status, retryable], ["rate_limited", 429, true]);
      assertAnHour(retryAfterMs);
      assert.match(requestId, /^[\da-f-]{36}$/);
      assert.match(message, /Too many requests$/);
      assert.equal(sent(pathOf(made)).length, 1);
      // The next call asks again, and the same client recovers.
      service.refusals.clear();
      assert.match((await client.session()).userId, /^anon_/);
      assert.equal(sent(session).length, what === "session" ? 2 : 1);
    });
  }

  test(
    "of a renewal: the token that is still valid is used, without a request for 10 s",
    bounded,
    async (t) => {
      const { service, client, sent, session } = await setUp(t);
      const { token } = await client.session();
      service.refusals.set(session, rateLimit(3_600));
      assert.equal((await client.refresh()).token, token);
      assert.equal(sent(session).length, 2);
      assert.equal((await client.session()).token, token);
      assert.equal((await client.fetch("/run/v1/conversations")).status, 200);
      assert.equal(sent(session).length, 2);
      assert.equal(client.state.status, "ready");
    },
  );

  test(
    "of challenges while a message needs one: rate_limited, and the message is not sent",
    bounded,
    async (t) => {
      const settings = { chatSolutions: true };
      const { service, client, sent } = await setUp(t, settings, { challenge: "every-request" });
      await chat(client, "conv_1", "One");
      service.refusals.set(CHALLENGE, rateLimit(3_600));
      const message = { messages: [{ role: "user", content: "Two" }] };
      const before = sent("/run/api/chat").length;
      // A solution may be prepared already.
      const outcomes = [];
      for (let count = 0; count < 3; count += 1)
        outcomes.push(
          await post(client, "/run/api/chat", message).then(
            ({ status }) => status,
            ({ code, retryAfterMs }) => [code, retryAfterMs],
          ),
        );
      const [code, retryAfterMs] = outcomes.at(-1);
      assert.equal(code, "rate_limited");
      assertAnHour(retryAfterMs);
      assert.equal(sent("/run/api/chat").length - before, outcomes.filter((one) => one === 200).length);
      service.refusals.clear();
      assert.equal((await post(client, "/run/api/chat", message)).status, 200);
    },
  );
});
