/** The run API of today's service, for callers who are known: chat, conversations, events and feedback. */
import { randomUUID } from "node:crypto";
import { problem } from "./todays-problem.mjs";

const AGENT_ID = "agent_0";
const PAGE = 20;
const MOST_PER_PAGE = 200;

const now = () => new Date().toISOString();

/**
 * Returns `answer({ method, path, query, body }, sub)`: what a caller gets. `stored` has what callers have left:
 * `conversations` by id, `events` and `feedback`.
 */
export function createRunApi() {
  const stored = { conversations: new Map(), events: [], feedback: [] };

  const ownConversation = (sub, id) => {
    const conversation = stored.conversations.get(id);
    return conversation?.sub === sub ? conversation : undefined;
  };
  const notFound = () => problem(404, "Conversation not found");

  /** Adds the newest message and its answer to the caller's conversation, which may be a new one, and sends the answer. */
  function addMessage(sub, { messages, conversationId = `conv_${randomUUID()}` }, respond) {
    if (!messages?.length) return problem(422, "messages: must have a message");
    const known = stored.conversations.get(conversationId);
    if (known && known.sub !== sub) return notFound();
    const { id = randomUUID(), content, parts = [] } = messages.at(-1);
    const text = content ?? parts.map((part) => part.text ?? "").join("");
    const createdAt = now();
    const conversation = known ?? { sub, id: conversationId, title: text, createdAt, messages: [] };
    const answer = makeMessage(`msg_${randomUUID()}`, "assistant", text);
    conversation.messages.push(makeMessage(id, "user", text), answer);
    conversation.updatedAt = createdAt;
    // The last one in the map is the newest.
    stored.conversations.delete(conversationId);
    stored.conversations.set(conversationId, conversation);
    return respond(conversationId, answer);
  }

  const chat = (sub, body) => addMessage(sub, body, body.stream === false ? completion : uiStream);

  const chatCompletions = (sub, body) => addMessage(sub, body, body.stream ? chunkStream : completion);

  function listConversations(sub, query) {
    const own = [...stored.conversations.values()].filter((one) => one.sub === sub).reverse();
    const { items, pagination } = pageOf(own, query);
    return { body: { data: items.map(summaryOf), pagination } };
  }

  function readConversation(sub, id, query) {
    const conversation = ownConversation(sub, id);
    if (!conversation) return notFound();
    // The first page has the newest messages, in the order in which they were written.
    const { items, pagination } = pageOf(conversation.messages.toReversed(), query);
    return { body: { data: { ...summaryOf(conversation), messages: items.reverse() }, pagination } };
  }

  /** Widgets report the first event before its conversation exists. */
  function addEvent(sub, { type, id, conversationId, messageId, metadata }) {
    if (!type) return problem(422, "type: must be a text");
    const known = id && stored.events.find((event) => event.sub === sub && event.data.id === id);
    if (known) return { body: { data: known.data } };
    const data = {
      id: id || `evt_${randomUUID()}`,
      type,
      conversationId: conversationId || metadata?.conversationId || null,
      messageId: messageId || null,
      createdAt: now(),
    };
    stored.events.push({ sub, data });
    return { status: 201, body: { data } };
  }

  function addFeedback(sub, { conversationId, messageId = null, type, details = null }) {
    if (!type) return problem(422, "type: must be a text");
    if (!ownConversation(sub, conversationId)) return notFound();
    const data = { id: `fb_${randomUUID()}`, conversationId, messageId, type, details, createdAt: now() };
    stored.feedback.push({ sub, data });
    return { status: 201, body: { data } };
  }

  const ROUTES = {
    "POST /run/api/chat": ({ sub, body }) => chat(sub, body),
    "POST /run/v1/chat/completions": ({ sub, body }) => chatCompletions(sub, body),
    "GET /run/v1/conversations": ({ sub, query }) => listConversations(sub, query),
    "POST /run/v1/events": ({ sub, body }) => addEvent(sub, body),
    "POST /run/v1/feedback": ({ sub, body }) => addFeedback(sub, body),
  };

  function answer({ method, path, query, body: text }, sub) {
    const [, id] = /^\/run\/v1\/conversations\/([^/]+)$/.exec(path) ?? [];
    if (method === "GET" && id) return readConversation(sub, decodeURIComponent(id), query);
    const route = ROUTES[`${method} ${path}`];
    if (!route) return problem(404, "Not found");
    let body;
    try {
      body = method === "POST" ? JSON.parse(text) : undefined;
    } catch {
      return problem(400, "The body is not JSON");
    }
    return route({ sub, query, body });
  }

  return { answer, stored };
}

const makeMessage = (id, role, content) => ({
  id,
  role,
  content,
  parts: [{ type: "text", text: content }],
  createdAt: now(),
});

const summaryOf = ({ id, title, createdAt, updatedAt }) => ({
  id,
  agentId: AGENT_ID,
  title,
  createdAt,
  updatedAt,
});

/** A page of a list: `{ items, pagination }`. */
function pageOf(list, query) {
  const page = Math.max(1, Number(query.get("page") ?? 1));
  const limit = Math.min(MOST_PER_PAGE, Math.max(1, Number(query.get("limit") ?? PAGE)));
  const total = list.length;
  return {
    items: list.slice((page - 1) * limit, page * limit),
    pagination: { page, limit, total, pages: Math.ceil(total / limit) },
  };
}

function completion(conversationId, { id, content }) {
  const message = { role: "assistant", content };
  return { body: { id, conversationId, choices: [{ index: 0, message, finish_reason: "stop" }] } };
}

const stream = (events, headers) => ({
  type: "text/event-stream",
  headers,
  body: [...events.map((event) => JSON.stringify(event)), "[DONE]"]
    .map((line) => `data: ${line}\n\n`)
    .join(""),
});

/** The event stream that widgets read. */
const uiStream = (_conversationId, { id, content }) =>
  stream(
    [
      { type: "start", messageId: id },
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", delta: content },
      { type: "text-end", id: "1" },
      { type: "finish" },
    ],
    { "x-vercel-ai-data-stream": "v2" },
  );

/** The chunks of the completions route. */
function chunkStream(conversationId, { content }) {
  const id = `chatcmpl_${randomUUID()}`;
  const chunk = (delta, finish_reason) => ({
    id,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason }],
    conversationId,
  });
  return stream([chunk({ role: "assistant", content }, null), chunk({}, "stop")]);
}
