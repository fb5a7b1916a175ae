/**
 * A long mixed load with everything that goes wrong in the life of a server: `kill -9`, a full disk (SQLite), a database
 * that restarts (PostgreSQL). Afterwards: no solution was accepted twice, no answered turn is lost, and the memory of the
 * server stopped growing.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../support/server.mjs";
import { SECRET } from "./client.mjs";
import { smallDisk } from "./disk.mjs";
import { freePort, startPostgres } from "./postgres.mjs";
import { Visitors } from "./visitors.mjs";

const VISITORS = 16;
const DISK_MB = 512;
/** How long a disk stays full, and a database away. */
const FAULT_MS = 2000;
/** Between two faults. */
const PAUSE_MS = 6000;
/** The part of the time in which the process is not killed, at the end: its memory is measured there. */
const UNDISTURBED = 0.4;
/** Memory that a server may gain in the second half of that part, in MB. */
const MAX_GROWTH_MB = 24;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The lines of the server's log about the request that a fault names. */
function causesOf(fault, lines) {
  const [requestId] = /req_\w+/.exec(fault) ?? [];
  return requestId ? lines.filter((line) => line.includes(requestId)) : [];
}

/** Runs it on `sqlite` or `postgres`; nothing where there is no PostgreSQL. `faults` is what should not have happened. */
export async function soak({ seconds, database }) {
  const postgres = database === "postgres" ? await startPostgres() : undefined;
  if (database === "postgres" && !postgres) return undefined;
  const disk = database === "sqlite" ? await smallDisk(DISK_MB) : undefined;
  const folder = disk?.folder ?? (await mkdtemp(join(tmpdir(), "saltmine-soak-")));
  const environment = {
    SALTMINE_ENV: "production",
    INKEEP_POW_HMAC_SECRET: SECRET,
    INKEEP_ANON_JWT_SECRET: SECRET,
    INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: SECRET,
    SALTMINE_LOG: "error",
    DATABASE_URL: postgres?.url ?? `sqlite://${join(folder, "soak.db")}`,
    PORT: String(await freePort()),
  };
  let server = await startServer(environment);
  const logs = [server.log];
  const visitors = new Visitors(server.baseUrl);
  await visitors.open();
  const start = Date.now();
  const end = start + seconds * 1000;
  const calm = end - seconds * 1000 * UNDISTURBED;
  const happened = { kills: 0, restarts: 0, fills: 0, hasDisk: disk !== undefined };

  const disturbances = [
    async () => {
      if (Date.now() > calm) return;
      await server.kill();
      server = await startServer(environment);
      logs.push(server.log);
      happened.kills += 1;
    },
    async () => {
      if (!postgres) return;
      await postgres.restart(FAULT_MS);
      happened.restarts += 1;
    },
    async () => {
      if (!disk) return;
      await disk.fill();
      await sleep(FAULT_MS);
      await disk.free();
      happened.fills += 1;
    },
  ];
  async function disturb() {
    for (let turn = 0; Date.now() < end - PAUSE_MS - 3 * FAULT_MS; turn += 1) {
      await sleep(PAUSE_MS / 2);
      await disturbances[turn % disturbances.length]();
    }
  }

  /** The memory of the server in MB, once a second of the part without kills. */
  const memory = [];
  async function measure() {
    await sleep(calm - Date.now() + PAUSE_MS);
    while (Date.now() < end) {
      // A server that is being replaced has no memory.
      const status = await readFile(`/proc/${server.pid}/status`, "utf8").catch(() => "");
      const kilobytes = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
      if (kilobytes) memory.push(Number(kilobytes) / 1024);
      await sleep(1000);
    }
  }

  await Promise.all([
    disturb(),
    measure(),
    ...Array.from({ length: VISITORS }, (_, number) => visitors.visitUntil(end, number)),
  ]);
  await visitors.check();
  const half = Math.floor(memory.length / 2);
  const [before, after] = [memory.slice(0, half), memory.slice(half)].map((part) => Math.max(...part));
  if (after > before + MAX_GROWTH_MB) visitors.fault(`the memory grew from ${before} to ${after} MB`);
  await server.stop();
  await postgres?.stop();
  await (disk ? disk.unmount() : rm(folder, { recursive: true, force: true }));

  const { counts, accepted, conversations } = visitors;
  const faults = visitors.faults.map((fault) => [fault, ...causesOf(fault, logs.flat())].join("\n"));
  const faultsOfDisk = disk ? `${happened.fills} × a full disk` : "no full disk (only root can mount one)";
  const faultsOfDatabase = postgres ? `${happened.restarts} restarts of the database` : faultsOfDisk;
  const sentence =
    `${seconds} s of mixed load on ${postgres ? "PostgreSQL" : "SQLite"} with ${happened.kills} × kill -9 and ` +
    `${faultsOfDatabase}: ${counts.sessions} sessions, each solution offered twice at once and later again, ` +
    `${counts.chats} answered chats, ${counts.cancelled} left by the client, ${counts.refused} responses 503, ` +
    `${counts.unanswered} requests without a response. Memory at most ${Math.round(Math.max(...memory))} MB ` +
    `(${Math.round(before)} in the first half of the part without kills, ${Math.round(after)} in the second). ` +
    `Solutions accepted twice, lost turns and other faults: ${faults.length}.`;
  return { sentence, faults, counts, happened, accepted: accepted.size, conversations: conversations.length };
}
