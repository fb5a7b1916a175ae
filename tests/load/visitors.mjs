/** Visitors who do everything at once, and keep a record of what the server promised them. */
import { makeApp, ORIGIN, openSession, run, SECRET } from "./client.mjs";
import { makeSolution } from "./solutions.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Solutions that are offered once more at the end, at most: the last ones, and as many from before. */
const OFFERED_AGAIN = 5000;

export class Visitors {
  counts = { sessions: 0, replays: 0, chats: 0, cancelled: 0, refused: 0, unanswered: 0 };
  /** The unexpected results. */
  faults = [];
  /** How often each solution was accepted. */
  accepted = new Map();
  /** Conversations with the number of turns that were answered. */
  conversations = [];

  constructor(baseUrl) {
    this.baseUrl = baseUrl;
  }

  async open() {
    this.appId = await makeApp(this.baseUrl);
  }

  fault(text) {
    if (this.faults.length < 100) this.faults.push(text);
  }

  /** 503 is how the server says that it cannot work at the moment: nothing was promised. Any other refusal is a fault. */
  isRefused(what, { status, body }) {
    if (status === 200) return false;
    if (status === 503) this.counts.refused += 1;
    else this.fault(`${what}: ${status} ${JSON.stringify(body)}`);
    return true;
  }

  /** Offers a solution, and counts how often it was accepted; the token. */
  async offer(solution) {
    const response = await openSession(this.baseUrl, this.appId, solution);
    if (response.body.reason === "pow_replayed") return undefined;
    if (this.isRefused("a session", response)) return undefined;
    this.accepted.set(solution, (this.accepted.get(solution) ?? 0) + 1);
    return response.body.token;
  }

  /** One visit: a solution offered twice at once, three turns, a reply that is left, the solution once more. */
  async visit(number) {
    const solution = makeSolution(SECRET, { seconds: 7200 });
    const tokens = await Promise.all([this.offer(solution), this.offer(solution)]);
    const token = tokens.find(Boolean);
    if (!token) return;
    this.counts.sessions += 1;
    const kept = { token, turns: 0 };
    for (let turn = 1; turn <= 3; turn += 1) {
      const messages = [{ role: "user", content: `visitor ${number}, turn ${turn}` }];
      const body = { messages, conversationId: kept.conversationId, stream: false };
      const response = await run(this.baseUrl, this.appId, token, "api/chat", body);
      if (this.isRefused("a chat", response)) break;
      this.counts.chats += 1;
      if (turn === 1)
        this.conversations.push(Object.assign(kept, { conversationId: response.body.conversationId }));
      kept.turns = turn;
    }
    if (number % 4 === 0) await this.leave(token);
    await this.offer(solution);
    this.counts.replays += 1;
  }

  /** Closes the connection at the first byte of a reply. */
  async leave(token) {
    const leaving = new AbortController();
    const response = await fetch(`${this.baseUrl}/run/api/chat`, {
      method: "POST",
      signal: leaving.signal,
      headers: {
        origin: ORIGIN,
        authorization: `Bearer ${token}`,
        "x-inkeep-app-id": this.appId,
        "content-type": "application/json",
      },
      body: JSON.stringify({ messages: [{ role: "user", content: "a word ".repeat(2000) }] }),
    });
    const reader = response.body.getReader();
    await reader.read();
    leaving.abort();
    await reader.read().catch(() => {});
    this.counts.cancelled += 1;
  }

  async visitUntil(end, number) {
    while (Date.now() < end) {
      try {
        await this.visit(number);
      } catch (error) {
        // Nobody there: a request that was pending when the process died, or one before the next listened.
        if (!(error instanceof TypeError)) throw error;
        this.counts.unanswered += 1;
        await sleep(50);
      }
    }
  }

  /** Holds the server to its promises. */
  async check() {
    for (const [solution, times] of this.accepted) {
      if (times > 1) this.fault(`a solution was accepted ${times} times: ${solution}`);
    }
    const solutions = [...this.accepted.keys()];
    const again = [
      ...solutions.slice(0, OFFERED_AGAIN),
      ...solutions.slice(OFFERED_AGAIN).slice(-OFFERED_AGAIN),
    ];
    await this.eachOf(again, async (solution) => {
      const { status, body } = await openSession(this.baseUrl, this.appId, solution);
      if (body.reason !== "pow_replayed")
        this.fault(`offered again at the end: ${status} ${JSON.stringify(body)}`);
    });
    await this.eachOf(this.conversations, async ({ token, conversationId, turns }) => {
      const { status, body } = await run(
        this.baseUrl,
        this.appId,
        token,
        `v1/conversations/${conversationId}`,
      );
      const found = body.data?.messages.length ?? 0;
      if (status !== 200 || found < turns * 2)
        this.fault(`${conversationId}: ${status}, ${found} of ${turns * 2} messages`);
    });
  }

  /** Sixteen at a time. */
  async eachOf(items, check) {
    const iterator = items[Symbol.iterator]();
    const worker = async () => {
      for (const item of iterator) await check(item);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }
}
