/**
 * The reference server against a Node server that does the same (`peer.mjs`), in one run on this machine: processor time,
 * rates and memory under a closed loop of requests; latencies under an open loop at the same rate for both, half of what
 * the slower one reaches; version 2 of the proof of work beside version 1; then a soak (`soak.mjs`): mixed load with kills,
 * a full disk and database restarts.
 *
 * `--seconds` is the time of each measurement, `--soak` that of the soak (0: none), `--hour` an hour of it, half of it on each
 * database, both at once, and nothing else,
 * `--only-flood` a flood of sessions with constant and adaptive difficulty (`flood.mjs`), `--flood` its seconds;
 * `--database postgres` runs the soak there. `--write` stores the record in `results/` and the tables in
 * docs/benchmarks.md.
 */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { root } from "../support/paths.mjs";
import { table, writeBlock } from "../support/report.mjs";
import { startServer } from "../support/server.mjs";
import { makeApp, SECRET } from "./client.mjs";
import { flood } from "./flood.mjs";
import { openLoop } from "./open-loop.mjs";
import { soak } from "./soak.mjs";
import { makeSolutionV2, writeSolutions } from "./solutions.mjs";
import { wrk } from "./wrk.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "8" },
    soak: { type: "string", default: "60" },
    flood: { type: "string", default: "15" },
    "only-flood": { type: "boolean", default: false },
    hour: { type: "boolean", default: false },
    database: { type: "string", default: "sqlite" },
    write: { type: "boolean", default: false },
  },
});
if (values["only-flood"]) {
  console.log((await flood({ seconds: Number(values.flood) })).text);
  process.exit();
}
if (values.hour) {
  const soaks = ["sqlite", "postgres"].map((database) => soak({ seconds: 1800, database }));
  const outcomes = (await Promise.all(soaks)).filter((outcome) => outcome !== undefined);
  for (const { sentence, faults } of outcomes) console.log([sentence, ...faults].join("\n"));
  process.exit(outcomes.some(({ faults }) => faults.length > 0) ? 1 : 0);
}
const seconds = Number(values.seconds);
const folder = await mkdtemp(join(tmpdir(), "saltmine-load-"));

/** A line of `/proc/<pid>/status`, in MB. */
async function memoryMb(pid, line) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${line}:\\s+(\\d+)`, "m").exec(status)[1]) / 1024;
}

/** The processor time that a process has used so far, in microseconds: what other load on the machine blurs least. */
async function processorUs(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10_000;
}

/** A file of fresh solutions, more than the server at hand can take. */
async function freshSolutions(perSecond, make) {
  const file = join(folder, "solutions");
  await writeSolutions(file, SECRET, Math.ceil(perSecond * seconds), make);
  return file;
}

async function startPeer(appId) {
  const child = spawn(process.execPath, [join(root, "tests", "load", "peer.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, APP_ID: appId, INKEEP_POW_HMAC_SECRET: SECRET, INKEEP_ANON_JWT_SECRET: SECRET },
  });
  const [line] = await new Promise((resolve) => {
    createInterface({ input: child.stdout }).once("line", (text) => resolve([text]));
  });
  return { baseUrl: line.replace("listening on ", ""), pid: child.pid, stop: () => child.kill("SIGKILL") };
}

function check(what, { refused, failed }) {
  if (refused || failed) throw new Error(`${what}: ${refused} requests were refused, ${failed} failed`);
}

/** Rate and processor time of version 2: challenges, which cost a key derivation each, and sessions. */
async function measureV2({ baseUrl, pid }, appId, guess) {
  console.error("load: saltmine-server, version 2");
  const atPeak = async (options) => {
    const before = await processorUs(pid);
    const result = await wrk(baseUrl, { appId, ...options, seconds });
    // Requests that find too many waiting are refused, which is quick: only challenges count.
    const accepted = result.requests - result.refused;
    return {
      perSecond: accepted / result.seconds,
      refusedPerSecond: result.refused / result.seconds,
      processorUs: ((await processorUs(pid)) - before) / accepted,
      p99Ms: result.p99Ms,
    };
  };
  // Fewer connections than the queue is long: none is refused.
  const challenge = await atPeak({});
  const session = await atPeak({ solutions: await freshSolutions(guess, makeSolutionV2) });
  const rate = challenge.perSecond / 2;
  // Both versions at the same rate.
  const same = await openLoop(baseUrl, { path: `/run/auth/challenge?appId=${appId}`, seconds, rate });
  const v1 = await openLoop(baseUrl, { seconds, rate });
  return { challenge, session, rate, same, v1 };
}

/** All figures of one server. `guess` is how many sessions a second it may reach at most. */
async function measure(name, { baseUrl, pid }, appId, guess) {
  console.error(`load: ${name}`);
  const atRest = await memoryMb(pid, "VmRSS");
  const peak = {};
  const atPeak = async (options) => {
    const before = await processorUs(pid);
    const result = await wrk(baseUrl, { ...options, seconds });
    return { ...result, processorUs: ((await processorUs(pid)) - before) / result.requests };
  };
  peak.challenge = await atPeak({});
  peak.session = await atPeak({ appId, solutions: await freshSolutions(guess) });
  check(`${name}, sessions`, peak.session);
  const underLoad = await memoryMb(pid, "VmHWM");
  return { atRest, underLoad, peak };
}

/** Latencies of one server at these rates. */
async function measureLatency(name, { baseUrl }, appId, rates) {
  console.error(`load: ${name}, latency at the same rate`);
  const challenge = await openLoop(baseUrl, { seconds, rate: rates.challenge });
  const solutions = await freshSolutions(rates.session);
  const session = await openLoop(baseUrl, { appId, solutions, seconds, rate: rates.session });
  check(`${name}, challenges at a fixed rate`, challenge);
  check(`${name}, sessions at a fixed rate`, session);
  return { challenge, session };
}

const server = await startServer({
  SALTMINE_ENV: "production",
  INKEEP_POW_HMAC_SECRET: SECRET,
  INKEEP_ANON_JWT_SECRET: SECRET,
  INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET: SECRET,
  SALTMINE_MAX_CONNECTIONS_PER_ADDRESS: "900",
  // The peer keeps no log either.
  SALTMINE_LOG: "warn",
  SALTMINE_POW_VERSION: "2",
});
const appId = await makeApp(server.baseUrl);
const ours = await measure("saltmine-server", server, appId, 40_000);
const v2 = await measureV2(server, appId, 40_000);
const peer = await startPeer(appId);
const theirs = await measure("the Node server", peer, appId, 8_000);
const halfOfTheSlower = (of) => Math.floor(Math.min(of(ours), of(theirs)) / 2);
const rates = {
  challenge: halfOfTheSlower(({ peak }) => peak.challenge.perSecond),
  session: halfOfTheSlower(({ peak }) => peak.session.perSecond),
};
ours.same = await measureLatency("saltmine-server", server, appId, rates);
theirs.same = await measureLatency("the Node server", peer, appId, rates);
await server.stop();
peer.stop();

/** How many times less processor time than the Node server's this server should need, and how many times its rate. */
const AIMS = { challenge: 8, session: 5 };
const verdicts = Object.entries(AIMS).flatMap(([what, aim]) => {
  const [a, b] = [ours.peak[what], theirs.peak[what]];
  return [
    { what: `processor time of a ${what}`, aim, ratio: b.processorUs / a.processorUs },
    { what: `${what}s a second`, aim, ratio: a.perSecond / b.perSecond },
  ];
});

const number = (value, digits = 0) =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const row = (what, figure, digits, verdict) => {
  const [a, b] = [figure(ours), figure(theirs)];
  return [what, number(a, digits), number(b, digits), verdict ? `${number(verdict.ratio, 1)} ×` : ""];
};
const [challengeTime, challengeRate, sessionTime, sessionRate] = verdicts;
const text = [
  `${cpus()[0].model}, ${cpus().length} cores, which wrk shares; SQLite; ${seconds} s each.\n`,
  table(
    ["", "saltmine-server", "Node", "ratio"],
    [
      row("processor time of a challenge, µs", (of) => of.peak.challenge.processorUs, 0, challengeTime),
      row("processor time of a session, µs", (of) => of.peak.session.processorUs, 0, sessionTime),
      row("challenges a second", (of) => of.peak.challenge.perSecond, 0, challengeRate),
      row("sessions a second", (of) => of.peak.session.perSecond, 0, sessionRate),
      row(`median of a challenge at ${rates.challenge} a second, ms`, (of) => of.same.challenge.p50Ms, 2),
      row(
        `99th percentile of a challenge at ${rates.challenge} a second, ms`,
        (of) => of.same.challenge.p99Ms,
        2,
      ),
      row(`median of a session at ${rates.session} a second, ms`, (of) => of.same.session.p50Ms, 2),
      row(`99th percentile of a session at ${rates.session} a second, ms`, (of) => of.same.session.p99Ms, 2),
      row("memory at rest, MB", (of) => of.atRest, 1),
      row("memory under load, MB", (of) => of.underLoad, 1),
    ],
  ),
  `\nVersion 2 (PBKDF2/SHA-256, cost 5000) beside version 1, on the same server:\n`,
  table(
    ["", "version 1", "version 2"],
    [
      ["challenges a second", number(ours.peak.challenge.perSecond), number(v2.challenge.perSecond)],
      [
        "processor time of a challenge, µs",
        number(ours.peak.challenge.processorUs),
        number(v2.challenge.processorUs),
      ],
      [
        `99th percentile of a challenge at ${number(v2.rate)} a second, ms`,
        number(v2.v1.p99Ms, 2),
        number(v2.same.p99Ms, 2),
      ],
      ["sessions a second", number(ours.peak.session.perSecond), number(v2.session.perSecond)],
      [
        "processor time of a session, µs",
        number(ours.peak.session.processorUs),
        number(v2.session.processorUs),
      ],
    ],
  ),
].join("\n");
console.log(text);
for (const { what, aim, ratio } of verdicts) {
  console.log(`\n${what}: ${ratio.toFixed(1)} ×, aim ${aim} ×: ${ratio >= aim ? "met" : "not met"}`);
}
await rm(folder, { recursive: true, force: true });

const outcome =
  Number(values.soak) > 0
    ? await soak({ seconds: Number(values.soak), database: values.database })
    : { sentence: "", faults: [] };
console.log(`\n${outcome.sentence}`);
const floods = Number(values.flood) > 0 ? await flood({ seconds: Number(values.flood) }) : { text: "" };
console.log(`\n${floods.text}`);
if (values.write) {
  await writeBlock("load", [text, outcome.sentence, floods.text].filter(Boolean).join("\n\n"));
  await mkdir(join(root, "tests", "load", "results"), { recursive: true });
  const machine = { cpu: cpus()[0].model, cores: cpus().length, node: process.version };
  const date = new Date().toISOString().slice(0, 10);
  const record = {
    date,
    machine,
    seconds,
    verdicts,
    rates,
    ours,
    theirs,
    v2,
    soak: outcome,
    flood: floods.figures,
  };
  const file = join(root, "tests", "load", "results", `${date}.json`);
  await writeFile(file, `${JSON.stringify(record, null, 2)}\n`);
}
if (outcome.faults.length > 0) {
  console.error(outcome.faults.join("\n"));
  process.exitCode = 1;
}
