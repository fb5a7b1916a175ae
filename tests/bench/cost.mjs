/**
 * `npm run bench -- --cost`: what a million sessions cost an attacker, and how long a visitor waits, for each
 * algorithm and difficulty. The attacker's rate is the best of the native methods of crates/solver/benches/attack on
 * one core; the visitor's is that of this package in headless Chromium with two workers, in the same run. Both are
 * measured in processor time, so that other work on the machine does not count; the visitor's rate needs Linux. A run
 * writes its record to tests/bench/results; `--write` also updates the table of docs/threat-model.md.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createChallenge } from "altcha-lib";
import { launch } from "../support/browsers/index.mjs";
import { theirChallenge } from "../support/altcha-v2.mjs";
import { root } from "../support/paths.mjs";
import { table, writeBlock } from "../support/report.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { CASES } from "./kdf.mjs";
import { ourRate } from "./kdf-page.mjs";
import { quartiles } from "./shared.mjs";

const WORKERS = 2;
const V1_CANDIDATES = 40_000_000;
/** How long the workers derive keys in a round. */
const KEYS_MS = 4_000;

/** `candidates`: how many an honest visitor tries on average; the search of an attacker is as long. `rates`: see kdf.mjs. */
export const PRICES = [
  { algorithm: "v1", what: "version 1, `maxnumber` 50000 (default)", candidates: 25_000 },
  { algorithm: "v1", what: "version 1, `maxnumber` 1000000", candidates: 500_000 },
  {
    algorithm: "PBKDF2/SHA-256",
    what: "PBKDF2, cost 5000, counters 400 to 800 (default)",
    cost: 5000,
    candidates: 601,
    rates: "PBKDF2/SHA-256, cost 5000",
  },
  {
    algorithm: "PBKDF2/SHA-256",
    what: "PBKDF2, cost 5000, counters 5000 to 10000 (upstream's advice)",
    cost: 5000,
    candidates: 7501,
    rates: "PBKDF2/SHA-256, cost 5000",
  },
  {
    algorithm: "SHA-256",
    what: "iterated SHA-256, cost 1000, counters 4000 to 8000",
    cost: 1000,
    candidates: 6001,
    rates: "SHA-256, cost 1000",
  },
  {
    algorithm: "SCRYPT",
    what: "scrypt, N 16384, r 8, counters 18 to 36",
    cost: 16_384,
    memoryCost: 8,
    candidates: 28,
    rates: "SCRYPT, N 16384, r 8",
  },
  {
    algorithm: "ARGON2ID",
    what: "Argon2id, 2 passes, 16 MiB, counters 15 to 29",
    cost: 2,
    memoryCost: 16_384,
    candidates: 23,
    rates: "ARGON2ID, t 2, 16 MiB",
  },
  {
    algorithm: "ARGON2ID",
    what: "Argon2id, 2 passes, 64 MiB, counters 5 to 9",
    cost: 2,
    memoryCost: 65_536,
    candidates: 8,
    rates: "ARGON2ID, t 2, 64 MiB",
  },
];

/** `[{ algorithm, cost, memoryCost, method, perSecond }]` on one core. */
async function measureAttack(progress) {
  progress("natively: compiling the searches, then measuring them");
  const features = "native-simd,kdf-all,derive";
  const args = ["bench", "--quiet", "--locked", "--package", "saltmine-solver", "--features", features];
  const cargo = spawn("cargo", [...args, "--bench", "attack"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      CARGO_TARGET_DIR: join(root, ".cache", "native"),
      CARGO_ENCODED_RUSTFLAGS: "-Ctarget-cpu=native",
    },
  });
  let printed = "";
  cargo.stdout.on("data", (text) => (printed += text));
  const [code] = await once(cargo, "close");
  if (code !== 0) throw new Error(`cargo ${args.join(" ")} ended with code ${code}`);
  const lines = printed.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line));
}

/** The processor time of this process's descendants so far, in seconds: of the browser. */
async function processorSeconds() {
  const processes = new Map();
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    // The name may have spaces and parentheses.
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields) processes.set(Number(pid), { parent: Number(fields[1]), ticks: +fields[11] + +fields[12] });
  }
  const isOurs = (pid) => pid === process.pid || (processes.has(pid) && isOurs(processes.get(pid).parent));
  let ticks = 0;
  for (const [pid, { parent, ticks: own }] of processes) if (isOurs(parent)) ticks += own;
  return ticks / 100;
}

/** Candidates in a second of processor time. */
async function perProcessorSecond(search) {
  const before = await processorSeconds();
  const candidates = await search();
  return candidates / ((await processorSeconds()) - before);
}

/** Version 1: the last number of a challenge is its solution. */
async function measureV1(browser, tarball, rounds, progress) {
  const page = `${BLANK_PAGE}<script type="module">
    import { solve } from "/saltmine/index.js";
    globalThis.find = async (challenge, options) => (await solve(challenge, options)).number;
  </script>`;
  const site = await serveFiles({ folders: { "/saltmine/": tarball.dist }, files: { "/": page } });
  const rates = [];
  try {
    const tab = await browser.open(`${site.origin}/`);
    while (!(await tab.evaluate(() => typeof globalThis.find === "function")))
      await new Promise((resolve) => setTimeout(resolve, 50));
    for (let round = 0; round < rounds; round += 1) {
      progress(`version 1: round ${round + 1} of ${rounds}`);
      const [number, maxNumber] = [V1_CANDIDATES, V1_CANDIDATES];
      const challenge = await createChallenge({ hmacKey: "a key", number, maxNumber, saltLength: 12 });
      const input = { challenge, options: { workers: WORKERS, maxNumber } };
      const search = async () => {
        const find = ({ challenge, options }) => globalThis.find(challenge, options);
        const found = await tab.evaluate(find, input);
        if (found !== number) throw new Error(`found ${found}`);
        return number;
      };
      rates.push(await perProcessorSecond(search));
    }
    await tab.close();
  } finally {
    await site.close();
  }
  return quartiles(rates);
}

/** Version 2: `[name, rate]` of the cases of kdf.mjs. */
async function measureKeys(browser, tarball, rounds, progress) {
  const site = await serveFiles({ folders: { "/saltmine/": tarball.dist } });
  const results = [];
  try {
    const tab = await browser.open(site.origin);
    for (const { name, algorithm, cost, memoryCost } of CASES.filter((one) =>
      PRICES.some(({ rates }) => rates === one.name),
    )) {
      const rates = [];
      for (let round = 0; round < rounds; round += 1) {
        progress(`${name}: round ${round + 1} of ${rounds}`);
        const make = () => theirChallenge(algorithm, { cost, ...(memoryCost && { memoryCost }), counter: 0 });
        const challenges = await Promise.all(Array.from({ length: WORKERS }, make));
        const input = { challenges, engine: "simd128", ms: KEYS_MS };
        const search = async () => ((await tab.evaluate(ourRate, input)).rate * KEYS_MS) / 1000;
        rates.push(await perProcessorSecond(search));
      }
      results.push([name, quartiles(rates)]);
    }
    await tab.close();
  } finally {
    await site.close();
  }
  return results;
}

/** The rates of one thread of a visitor, by the names of kdf.mjs; version 1 is `v1`. */
async function measureVisitor(rounds, progress) {
  const tarball = await installTarball();
  const browser = await launch("chromium", { fineClock: true });
  try {
    const v1 = await measureV1(browser, tarball, rounds, progress);
    const keys = await measureKeys(browser, tarball, rounds, progress);
    return { title: browser.title, rates: { v1, ...Object.fromEntries(keys) } };
  } finally {
    await browser.close();
    await tarball.remove();
  }
}

/** Returns the figures of each algorithm and difficulty. */
export function costs(attack, visitor) {
  return PRICES.map((price) => {
    const { algorithm, cost = 0, memoryCost = 0, candidates, what, rates = "v1" } = price;
    const methods = attack.filter(
      (method) => method.algorithm === algorithm && method.cost === cost && method.memoryCost === memoryCost,
    );
    const best = methods.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
    const visitorMs = (candidates / visitor[rates].median / WORKERS) * 1000;
    const attackerMs = (candidates / best.perSecond) * 1000;
    return {
      what,
      candidates,
      visitorMs,
      attackerMs,
      method: best.method,
      coreHoursPerMillion: attackerMs / 3.6,
      advantage: (visitorMs * WORKERS) / attackerMs,
    };
  });
}

const shown = (value) => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2));

/** The table of docs/threat-model.md. */
export function costTable(rows, { cpu, date, title }) {
  const head = [
    "challenge",
    "visitor, two threads, ms",
    "attacker, one core, ms",
    "a million sessions, core hours",
    "attacker's advantage for each core",
  ];
  const cells = rows.map(({ what, visitorMs, attackerMs, coreHoursPerMillion, advantage }) => [
    what,
    shown(visitorMs),
    shown(attackerMs),
    shown(coreHoursPerMillion),
    `${shown(advantage)} ×`,
  ]);
  return `${table(head, cells)}\n\n${title} and native code on one core of the same machine: ${cpu}, ${date}.`;
}

/** Measures, prints and writes. */
export async function measureCost({ rounds = 3, write = false } = {}) {
  const progress = (text) => process.stderr.write(`${text}\n`);
  const attack = await measureAttack(progress);
  const visitor = await measureVisitor(rounds, progress);
  const [{ model }] = cpus();
  const machine = { date: new Date().toISOString().slice(0, 10), cpu: model.trim(), title: visitor.title };
  const rows = costs(attack, visitor.rates);
  const text = costTable(rows, machine);
  console.log(text);
  const slug = machine.cpu
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const results = new URL("results/", import.meta.url);
  await mkdir(results, { recursive: true });
  const record = { ...machine, cores: cpus().length, attack, visitor: visitor.rates, rows };
  const file = new URL(`${machine.date}-cost-${slug}.json`, results);
  await writeFile(file, `${JSON.stringify(record, null, 2)}\n`);
  if (write) await writeBlock("cost", text, "threat-model.md");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "3" }, write: { type: "boolean", default: false } },
  });
  await measureCost({ rounds: Number(values.rounds), write: values.write });
}
