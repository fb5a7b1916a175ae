/** Streams the agent's answers. Framework-independent: the widget passes the text in and appends what it yields. */
import { EventSourceParserStream } from "eventsource-parser/stream";
import { createClient } from "saltmine";

/** The address of the server and the id of the app. */
const { VITE_API = "http://127.0.0.1:8787", VITE_APP_ID = "app_demo000000000000" } = import.meta.env;

/** Starts a chat. Nothing is sent before `prefetch()` or the first message. */
export function createChat() {
  const client = createClient({ baseUrl: VITE_API, appId: VITE_APP_ID });
  const createId = () => `conv_${crypto.getRandomValues(new Uint32Array(4)).join("")}`;
  // The server keeps the history of a conversation, so each request carries only the newest message.
  let conversationId = createId();

  const send = (text, signal) =>
    client.fetch("/run/api/chat", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ conversationId, messages: [{ role: "user", content: text }] }),
      signal,
    });
  const problemOf = (response) => (response.ok ? undefined : response.json().catch(() => ({})));

  /**
   * Sends a message and yields the answer in pieces.
   * @throws SaltmineError if there is no session, Error if the server refuses the message or the stream fails
   */
  async function* ask(text, signal) {
    let response = await send(text, signal);
    let problem = await problemOf(response);
    if (/^conversation_(full|not_found)$/.test(problem?.reason)) {
      // The conversation is full, or the visitor has a new identity: the message begins a new conversation.
      conversationId = createId();
      response = await send(text, signal);
      problem = await problemOf(response);
    }
    if (problem) throw new Error(problem.detail ?? `The server responded with status ${response.status}.`);
    const events = response.body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    const reader = events.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) throw new Error("The connection was lost before the end of the answer.");
        if (value.data === "[DONE]") return;
        const event = JSON.parse(value.data);
        if (event.type === "text-delta") yield event.delta;
        if (event.type === "error") throw new Error(event.errorText);
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  return { ask, prefetch: () => client.prefetch(), dispose: () => client.dispose() };
}
