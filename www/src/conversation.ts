/** A conversation with the server's agent over `POST /run/api/chat`. */
import type { Client } from "saltmine";
import { readEvents } from "./sse.js";

export interface Message {
  role: "user" | "assistant";
  content: string;
}

/** The error of a message, with a text for the visitor. */
export class ChatError extends Error {
  override readonly name = "ChatError";
  /** The HTTP status, if the server responded. */
  readonly status: number | undefined;
  /** Whether the server refused the session: another one may help. */
  readonly needsNewSession: boolean;

  constructor(message: string, { status, cause }: { status?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.status = status;
    this.needsNewSession = status === 401;
  }
}

const BROKE_OFF = "The answer was interrupted before its end.";

/** Messages so far and the id that the server knows them by. */
export class Conversation {
  readonly #headers: () => ReturnType<Client["headers"]>;
  readonly #url: string;
  #messages: Message[] = [];
  #id: string | undefined;

  constructor(headers: () => ReturnType<Client["headers"]>, baseUrl: string) {
    this.#headers = headers;
    this.#url = `${baseUrl}/run/api/chat`;
  }

  /**
   * Sends a message and yields the agent's answer piece by piece. Only a complete answer becomes part of the
   * conversation, so that a failed call can be made again. Throws `ChatError`, or the error of `headers`.
   */
  async *say(content: string, signal: AbortSignal): AsyncGenerator<string> {
    const asked = [...this.#messages, { role: "user", content } satisfies Message];
    const response = await this.#post(asked, signal);
    let answer = "";
    for await (const delta of readAnswer(response, signal)) {
      answer += delta;
      yield delta;
    }
    this.#messages = [...asked, { role: "assistant", content: answer }];
    this.#id = response.headers.get("x-conversation-id") ?? this.#id;
  }

  async #post(messages: Message[], signal: AbortSignal): Promise<Response> {
    const headers = { ...(await untilStopped(this.#headers(), signal)), "Content-Type": "application/json" };
    const body = JSON.stringify({ messages, ...(this.#id !== undefined && { conversationId: this.#id }) });
    let response: Response;
    try {
      response = await fetch(this.#url, { method: "POST", headers, body, signal, credentials: "omit" });
    } catch (cause) {
      signal.throwIfAborted();
      throw new ChatError("The server did not respond. Check the connection and try again.", { cause });
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/** Stops waiting for the session, and does not abort its request: other parts of the page use it too. */
function untilStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([promise, stopped]);
}

async function* readAnswer(response: Response, signal: AbortSignal): AsyncGenerator<string> {
  if (!response.body || !/^text\/event-stream\b/.test(response.headers.get("content-type") ?? "")) {
    throw new ChatError("The server's response is not a stream of events. Check the server's address.");
  }
  try {
    for await (const data of readEvents(response.body)) {
      if (data === "[DONE]") return;
      const event = JSON.parse(data) as { type?: unknown; delta?: unknown; errorText?: unknown };
      if (event.type === "text-delta" && typeof event.delta === "string") yield event.delta;
      if (event.type === "error") throw new ChatError(String(event.errorText ?? BROKE_OFF));
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof ChatError ? cause : new ChatError(BROKE_OFF, { cause });
  }
  throw new ChatError(BROKE_OFF);
}

/** A refusal in the visitor's words, with the server's own detail behind them. */
async function refusal(response: Response): Promise<ChatError> {
  const { status } = response;
  // A proxy's response may not be JSON.
  const problem = (await response.json().catch(() => undefined)) as { detail?: unknown } | undefined;
  const detail = typeof problem?.detail === "string" ? ` (${problem.detail})` : "";
  return new ChatError(`${sentence(status, response.headers.get("retry-after"))}${detail}`, { status });
}

function sentence(status: number, retryAfter: string | null): string {
  if (status === 401) return "The server no longer accepts your session.";
  if (status === 403) return `The app does not allow this page's origin, ${location.origin}.`;
  if (status === 404) return "The server does not know this app or its agent.";
  if (status === 413) return "The message is too long for the server.";
  if (status === 429) {
    const seconds = Number(retryAfter);
    const when =
      retryAfter && seconds > 0 ? `in ${seconds} ${seconds === 1 ? "second" : "seconds"}` : "in a moment";
    return `Too many messages at once. Try again ${when}.`;
  }
  if (status >= 500) return "Something went wrong on the server. Try again in a moment.";
  return `The server refused the message with status ${status}.`;
}
