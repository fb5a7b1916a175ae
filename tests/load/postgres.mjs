/** A PostgreSQL of a test's own, which can be restarted. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const DEBIAN = "/usr/lib/postgresql";
const run = promisify(execFile);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The folder of `initdb` and `postgres`, or nothing where PostgreSQL is not installed. */
async function programs() {
  const versions = existsSync(DEBIAN) ? await readdir(DEBIAN) : [];
  const newest = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, "bin"));
  const folders = [...newest, ...(process.env.PATH ?? "").split(delimiter)];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

/** A command that does not run as root, which PostgreSQL refuses. */
function unprivileged(program, args) {
  if (process.getuid() !== 0) return [program, args];
  return [
    "setpriv",
    ["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--", program, ...args],
  ];
}

/**
 * A port that is free now, and that the system gives to nothing else while a server that had it is away: it is below those
 * of outgoing connections and of servers that ask for any port (32768 and above on Linux).
 */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch (error) {
      if (error.code === "EADDRINUSE") continue;
      throw error;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}

/** Starts one; nothing where it is not installed. `restart` takes the database away for `ms`. */
export async function startPostgres() {
  const bin = await programs();
  if (!bin) return undefined;
  const folder = await mkdtemp(join(tmpdir(), "saltmine-soak-postgres-"));
  if (process.getuid() === 0) {
    const { stdout } = await run("id", ["-u", "postgres"]);
    await chown(folder, Number(stdout), 0);
  }
  const data = join(folder, "data");
  const options = [
    "--username=saltmine",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
    "--pgdata",
    data,
  ];
  await run(...unprivileged(join(bin, "initdb"), options), { cwd: tmpdir() });
  const port = await freePort();
  let child;
  const start = async () => {
    const options = [
      "-D",
      data,
      "-p",
      String(port),
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "unix_socket_directories=",
    ];
    const [program, args] = unprivileged(join(bin, "postgres"), [...options, "-c", "fsync=off"]);
    child = spawn(program, args, { cwd: tmpdir(), stdio: "ignore" });
    for (let attempt = 0; !(await accepts(port)); attempt += 1) {
      if (attempt > 150) throw new Error("PostgreSQL does not accept connections");
      await sleep(100);
    }
  };
  /** SIGINT: running transactions are rolled back and their connections closed. */
  const stop = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    await ended;
  };
  await start();
  return {
    url: `postgres://saltmine@127.0.0.1:${port}/postgres`,
    async restart(ms) {
      await stop();
      await sleep(ms);
      await start();
    },
    async stop() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
