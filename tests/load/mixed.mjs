/**
 * A while of mixed load with the process killed in the middle: sessions, replays and chats by many visitors at once.
 * Afterwards: was a solution accepted twice, and is every conversation there that was answered?
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:net";
import { startServer } from "../support/server.mjs";
import { makeApp, openSession, run, SECRET } from "./client.mjs";
import { makeSolution } from "./solutions.mjs";

const VISITORS = 24;

/** A port that is free now; the server is started on it twice. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs it, on SQLite or the database of `databaseUrl`; `faults` is what should not have been. */
export async function mixedLoad({ seconds, databaseUrl }) {
  const folder = await mkdtemp(join(tmpdir(), "saltmine-mixed-"));
  const env = {
    SALTMINE_ENV: "production",
    INKEEP_POW_HMAC_SECRET: SECRET,
    INKEEP_ANON_JWT_SECRET: SECRET,
    INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: SECRET,
    SALTMINE_LOG: "warn",
    DATABASE_URL: databaseUrl ?? `sqlite://${join(folder, "mixed.db")}`,
    PORT: await freePort(),
  };
  let server = await startServer(env);
  const { baseUrl } = server;
  const appId = await makeApp(baseUrl);
  const end = Date.now() + seconds * 1000;
  const counts = { sessions: 0, replays: 0, chats: 0, unanswered: 0 };
  const accepted = new Map();
  const answered = [];
  const faults = [];

  /** Offers a solution, and counts how often it was accepted. */
  async function offer(solution) {
    const { status, body } = await openSession(baseUrl, appId, solution);
    if (status === 200) accepted.set(solution, (accepted.get(solution) ?? 0) + 1);
    else if (body.reason !== "pow_replayed") faults.push(`a session: ${status} ${JSON.stringify(body)}`);
    return body.token;
  }

  async function visit(number) {
    while (Date.now() < end) {
      const solution = makeSolution(SECRET);
      try {
        const tokens = await Promise.all([offer(solution), offer(solution)]);
        counts.sessions += 1;
        const token = tokens.find(Boolean);
        if (!token) continue;
        const kept = { token, turns: 0 };
        for (let turn = 1; turn <= 3; turn += 1) {
          const content = `visitor ${number}, turn ${turn}`;
          const { conversationId } = kept;
          const message = { messages: [{ role: "user", content }], conversationId, stream: false };
          const { status, body } = await run(baseUrl, appId, token, "api/chat", message);
          if (status !== 200) faults.push(`a chat: ${status} ${JSON.stringify(body)}`);
          counts.chats += 1;
          // Known to be answered from here on.
          if (turn === 1) answered.push(Object.assign(kept, { conversationId: body.conversationId }));
          kept.turns = turn;
        }
        await offer(solution);
        counts.replays += 1;
      } catch (error) {
        // Nobody there: a request under way when the process died, or one before the next listened.
        if (!(error instanceof TypeError)) throw error;
        counts.unanswered += 1;
        await sleep(50);
      }
    }
  }

  async function kill() {
    await sleep(seconds * 500);
    await server.kill();
    server = await startServer(env);
  }

  await Promise.all([kill(), ...Array.from({ length: VISITORS }, (_, number) => visit(number))]);

  for (const [solution, times] of accepted) {
    if (times > 1) faults.push(`a solution was accepted ${times} times: ${solution}`);
  }
  for (const solution of accepted.keys()) await offer(solution);
  for (const [solution, times] of accepted) {
    if (times > 1) faults.push(`a solution was accepted again at the end: ${solution}`);
  }
  for (const { token, conversationId, turns } of answered) {
    const { status, body } = await run(baseUrl, appId, token, `v1/conversations/${conversationId}`);
    const found = body.data?.messages.length ?? 0;
    if (status !== 200 || found < turns * 2)
      faults.push(`${conversationId}: ${found} of ${turns * 2} messages`);
  }
  await server.stop();
  await rm(folder, { recursive: true, force: true });
  const sentence =
    `${seconds} s of mixed load with kill -9 in the middle: ${counts.sessions} sessions, each solution offered at ` +
    `least twice at once, ${counts.replays} replayed later, ${counts.chats} chats, ${counts.unanswered} requests ` +
    `unanswered. Solutions accepted twice and answered conversations lost: ${faults.length}.`;
  return { sentence, faults, counts, accepted: accepted.size, conversations: answered.length };
}
