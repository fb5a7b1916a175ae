/** The reference server as a child process: development mode, a fresh folder, a port of its own. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { serverPath } from "./paths.mjs";

/** The variables of {@link startServer} for challenges of version 2 at their default difficulty. */
export const USUAL_PRICE = { SALTMINE_POW_COUNTER_MIN: undefined, SALTMINE_POW_COUNTER_MAX: undefined };

/** The app that development mode seeds; it allows 127.0.0.1 and localhost. */
export const DEMO_APP_ID = "app_demo000000000000";

const START_MS = 20_000;
const STOP_MS = 3_000;

/**
 * Starts it and waits until it listens. `env` adds to or replaces the variables below; `undefined` removes one.
 * Nothing of the caller's own configuration reaches it.
 */
export async function startServer(env = {}) {
  const state = await mkdtemp(join(tmpdir(), "saltmine-server-"));
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(INKEEP_|SALTMINE_|DATABASE_URL$|HOST$|PORT$)/.test(name),
  );
  const child = spawn(serverPath(), {
    cwd: state,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...Object.fromEntries(inherited),
      SALTMINE_ENV: "development",
      SALTMINE_STATE_DIR: state,
      SALTMINE_RATE_LIMIT: "off",
      // A tenth of the default difficulty, since tests request hundreds of sessions.
      SALTMINE_POW_COUNTER_MIN: "40",
      SALTMINE_POW_COUNTER_MAX: "80",
      SALTMINE_QUOTA_REQUESTS: "off",
      SALTMINE_QUOTA_STREAMS: "off",
      SALTMINE_QUOTA_STORED_BYTES: "off",
      SALTMINE_QUOTA_TOKENS: "off",
      // It stops at once: nothing sends requests to another instance meanwhile.
      SALTMINE_DRAIN_SECONDS: "0",
      DATABASE_URL: `sqlite://${join(state, "saltmine.db")}`,
      HOST: "127.0.0.1",
      PORT: "0",
      ...env,
    },
  });
  const log = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(force);
    await rm(state, { recursive: true, force: true });
  };
  /** `kill -9`; what is in the database stays. */
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(state, { recursive: true, force: true });
  };
  try {
    return { baseUrl: await listening(child, log), pid: child.pid, log, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address from the line `listening on http://…`. */
function listening(child, log) {
  return new Promise((resolve, reject) => {
    const giveUp = (why) => reject(new Error(`saltmine-server ${why}\n${log.join("\n")}`));
    const timer = setTimeout(giveUp, START_MS, `did not listen within ${START_MS / 1000} s`);
    child.once("error", (error) => giveUp(`could not be started: ${error.message}`));
    child.once("exit", (code) => giveUp(`ended with ${code} before it listened`));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, url] = /listening on (https?:\/\/[^\s"]+)/.exec(line) ?? [];
      if (!url) return;
      clearTimeout(timer);
      resolve(url.replace(/\/$/, ""));
    });
  });
}

/** An app made through the management API, whose `key` the server was started with; its id. */
export async function makeApp({ baseUrl, key }, webClient = { allowedDomains: ["*"] }) {
  const response = await fetch(`${baseUrl}/manage/tenants/default/projects/default/apps`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      name: "Of a test",
      type: "web_client",
      defaultAgentId: "echo",
      config: { type: "web_client", webClient },
    }),
  });
  if (response.status !== 201) throw new Error(`no app: ${response.status} ${await response.text()}`);
  return (await response.json()).data.app.id;
}
