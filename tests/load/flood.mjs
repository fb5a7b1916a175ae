/**
 * A flood of sessions beside honest visitors, with constant and with adaptive difficulty of challenges.
 *
 * Requests are real, work is not: every client requests a challenge from the server, waits for as long as its processor
 * would search, and sends a solution that was made with the server's secret, so that the figures do not depend on this
 * machine.
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../support/server.mjs";
import { table } from "../support/report.mjs";
import { makeApp, ORIGIN, SECRET } from "./client.mjs";
import { makeSolution } from "./solutions.mjs";

/** Hashes a second: of one core of the attacker, and of a visitor's phone. */
const ATTACKER_RATE = 2_000_000;
const VISITOR_RATE = 1_000_000;

const VISITORS_PER_SECOND = 4;
const HALF_LIFE_SECONDS = 5;

const ADAPTIVE = {
  SALTMINE_POW_ADAPTIVE: "on",
  SALTMINE_POW_ADAPTIVE_HALF_LIFE_SECONDS: String(HALF_LIFE_SECONDS),
};

const random = (limit) => Math.floor(Math.random() * limit);

/** Where attackers are: one /24 of IPv4, or a network of hacked machines in 4096 of them. */
const NETWORKS = {
  "one network": () => `198.51.100.${random(254) + 1}`,
  "4096 networks": () => `100.${64 + random(16)}.${random(256)}.1`,
};

/** Visitors are everywhere. */
const visitorAddress = () => `${random(99) + 1}.${random(256)}.${random(256)}.7`;

function client(baseUrl) {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const send = (method, path, headers) =>
    new Promise((resolve, reject) => {
      const sent = request(`${baseUrl}${path}`, { method, headers, agent }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => (text += part));
        response.on("end", () => resolve({ status: response.statusCode, text }));
      });
      sent.on("error", reject).end();
    });
  return { send, close: () => agent.destroy() };
}

/** One client's session: the time that the search takes, and whether there was a session. */
async function session(send, appId, address, hashesPerSecond) {
  const headers = { origin: ORIGIN, "x-forwarded-for": address };
  const challenge = await send("GET", `/run/auth/challenge?appId=${appId}`, headers);
  if (challenge.status === 429) return { seconds: 0, opened: false, waits: true };
  if (challenge.status !== 200) throw new Error(challenge.text);
  const seconds = random(JSON.parse(challenge.text).maxnumber + 1) / hashesPerSecond;
  await sleep(seconds * 1000);
  const solution = { "x-inkeep-challenge-solution": makeSolution(SECRET) };
  const path = `/run/auth/apps/${appId}/anonymous-session`;
  const { status, text } = await send("POST", path, { ...headers, ...solution });
  if (status !== 200 && status !== 429) throw new Error(text);
  return { seconds, opened: status === 200, waits: status === 429 };
}

/** Attacks a server for so long. */
async function attack({ env, address, cores, seconds }) {
  const server = await startServer({
    SALTMINE_ENV: "production",
    INKEEP_POW_HMAC_SECRET: SECRET,
    INKEEP_ANON_JWT_SECRET: SECRET,
    INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: SECRET,
    SALTMINE_TRUSTED_PROXIES: "127.0.0.0/8",
    SALTMINE_RATE_LIMIT: "20/60",
    // The time that a search takes is that of its hashes.
    SALTMINE_POW_VERSION: "1",
    SALTMINE_LOG: "warn",
    ...env,
  });
  const appId = await makeApp(server.baseUrl);
  const { send, close } = client(server.baseUrl);
  const begin = Date.now();
  // The first half-lives are left out, since the difficulty still rises.
  const measured = begin + 2 * HALF_LIFE_SECONDS * 1000;
  const end = measured + seconds * 1000;
  let sessions = 0;
  const times = [];

  /** A core searches for one challenge after the other. */
  async function core() {
    while (Date.now() < end) {
      const { opened, waits } = await session(send, appId, address(), ATTACKER_RATE);
      if (opened && Date.now() >= measured) sessions += 1;
      if (waits) await sleep(20);
    }
  }

  async function visitors() {
    const all = [];
    while (Date.now() < end) {
      const visit = session(send, appId, visitorAddress(), VISITOR_RATE);
      all.push(
        visit.then(({ seconds: search, opened }) => Date.now() >= measured && opened && times.push(search)),
      );
      await sleep(1000 / VISITORS_PER_SECOND);
    }
    await Promise.all(all);
  }

  await Promise.all([visitors(), ...Array.from({ length: cores }, core)]);
  close();
  await server.stop();
  const sorted = times.sort((a, b) => a - b);
  return { perHour: (sessions / seconds) * 3600, medianMs: sorted[Math.floor(sorted.length / 2)] * 1000 };
}

/** The table of all combinations, and the figures. */
export async function flood({ seconds, cores = 4 }) {
  const rows = [];
  const figures = [];
  for (const [network, address] of Object.entries(NETWORKS)) {
    for (const [name, env] of [
      ["off", {}],
      ["on", ADAPTIVE],
    ]) {
      console.error(`load: a flood from ${network}, adaptive difficulty ${name}`);
      const { perHour, medianMs } = await attack({ env, address, cores, seconds });
      figures.push({ network, adaptive: name === "on", perHour, medianMs });
      const number = (value) => Math.round(value).toLocaleString("en-US");
      rows.push([`${network}, adaptive difficulty ${name}`, number(perHour), number(medianMs)]);
    }
  }
  const text = [
    `A flood from ${cores} cores of ${ATTACKER_RATE / 1e6} million hashes a second, beside visitors of ` +
      `${VISITOR_RATE / 1e6} million; a half-life of ${HALF_LIFE_SECONDS} s; ${seconds} s each.\n`,
    table(["attacker", "sessions an hour", "median search of a visitor, ms"], rows),
  ].join("\n");
  return { text, figures };
}
