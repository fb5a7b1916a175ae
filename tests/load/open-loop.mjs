/**
 * An open loop of requests: each is sent at its time, whether the ones before it have a response or not, and its latency
 * counts from that time. A server that stalls cannot slow the load down, which would hide the stall.
 */
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { ORIGIN } from "./client.mjs";

const TICK_MS = 2;

/** Sends `rate` requests a second for `seconds`: challenges (at `path`), or sessions where there is a file of solutions. */
export async function openLoop(baseUrl, options) {
  const { appId, solutions, seconds, rate, path: challengePath = "/run/auth/pow/challenge" } = options;
  const headers = solutions && (await readFile(solutions, "utf8")).split("\n");
  const path = solutions ? `/run/auth/apps/${appId}/anonymous-session` : challengePath;
  const agent = new Agent({ keepAlive: true, maxSockets: 500 });
  const latencies = [];
  const pending = new Set();
  let failed = 0;
  let refused = 0;

  const send = (index, due) => {
    const sent = new Promise((resolve) => {
      const options = { agent, method: solutions ? "POST" : "GET", headers: { origin: ORIGIN } };
      if (headers) options.headers["x-inkeep-challenge-solution"] = headers[index];
      const outgoing = request(`${baseUrl}${path}`, options, (response) => {
        if (response.statusCode !== 200) refused += 1;
        response.resume().on("end", () => {
          latencies.push(performance.now() - due);
          resolve();
        });
      });
      outgoing.on("error", () => {
        failed += 1;
        resolve();
      });
      outgoing.end();
    });
    pending.add(sent);
    void sent.then(() => pending.delete(sent));
  };

  const start = performance.now();
  const total = Math.floor(rate * seconds);
  for (let index = 0; index < total;) {
    const now = performance.now();
    for (; index < total && start + (index * 1000) / rate <= now; index += 1) {
      send(index, start + (index * 1000) / rate);
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(pending);
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const percentile = (part) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))];
  return { requests: total, refused, failed, rate, p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
}
