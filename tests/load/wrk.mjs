/** wrk, with the requests of `requests.lua`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../support/paths.mjs";

const SCRIPT = join(root, "tests", "load", "requests.lua");

/**
 * Sends requests for challenges (of version 2 for an app), or for sessions where there is a file of solutions, for `seconds`. With a `rate` (requests a second) the
 * connections pause between two requests so that they come at about that rate; without one they send what they can.
 * Gives the rate that was reached, the refusals and failures, and latencies.
 */
export async function wrk(baseUrl, { appId = "-", solutions = "-", seconds, connections = 64, rate }) {
  // Pauses are whole milliseconds: more connections make the rate finer.
  const many = rate ? Math.min(500, Math.max(connections, Math.ceil(rate / 40))) : connections;
  const pause = rate ? Math.max(1, Math.round((1000 * many) / rate)) : 0;
  const args = ["-t1", `-c${many}`, `-d${seconds}s`, "--latency", "--timeout", "10s", "-s", SCRIPT, baseUrl];
  const child = spawn(process.env.SALTMINE_WRK ?? "wrk", [...args, "--", appId, solutions, String(pause)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (text) => (printed += text));
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`wrk ended with ${code}:\n${printed}`);
  const result = JSON.parse(printed.trim().split("\n").at(-1));
  return { ...result, perSecond: result.requests / result.seconds };
}
