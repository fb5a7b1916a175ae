/**
 * `npm run bench -- --cost`: what a million sessions cost an attacker, for each algorithm and price, beside the time of a
 * visitor. The attacker's rate is the best of the native methods of crates/solver/benches/attack on one core; the visitor's
 * is that of this package in headless Chromium with two workers, in the same run. A run writes its record to
 * tests/bench/results; `--write` also updates the table of docs/threat-model.md.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createChallenge } from "altcha-lib";
import { launch } from "../support/browsers/index.mjs";
import { root } from "../support/paths.mjs";
import { table, writeBlock } from "../support/report.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { installTarball } from "../support/tarball.mjs";
import { measureKeyRates } from "./kdf.mjs";
import { quartiles } from "./shared.mjs";

const WORKERS = 2;
const V1_CANDIDATES = 8_000_000;

/** `candidates`: how many an honest visitor tries on average; the search of an attacker is as long. `rates`: see kdf.mjs. */
export const PRICES = [
  { algorithm: "v1", what: "version 1, `maxnumber` 50000 (default)", candidates: 25_000 },
  { algorithm: "v1", what: "version 1, `maxnumber` 1000000", candidates: 500_000 },
  {
    algorithm: "PBKDF2/SHA-256",
    what: "PBKDF2, cost 5000, counters 700 to 1300 (default)",
    cost: 5000,
    candidates: 1001,
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
    what: "iterated SHA-256, cost 1000, counters 7000 to 13000",
    cost: 1000,
    candidates: 10_001,
    rates: "SHA-256, cost 1000",
  },
  {
    algorithm: "SCRYPT",
    what: "scrypt, N 16384, r 8, counters 32 to 58",
    cost: 16_384,
    memoryCost: 8,
    candidates: 46,
    rates: "SCRYPT, N 16384, r 8",
  },
  {
    algorithm: "ARGON2ID",
    what: "Argon2id, 2 passes, 16 MiB, counters 25 to 47",
    cost: 2,
    memoryCost: 16_384,
    candidates: 37,
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

/** Candidates a second of version 1: the last number of a challenge is its solution. */
async function measureV1(browser, tarball, rounds, progress) {
  const page = `${BLANK_PAGE}<script type="module">
    import { solve } from "/saltmine/index.js";
    globalThis.rate = async (challenge, workers) => {
      const { number, tookMs } = await solve(challenge, { workers, maxNumber: number_of(challenge) });
      return { number, perSecond: (number / tookMs) * 1000 };
    };
    const number_of = ({ maxnumber, maxNumber }) => maxnumber ?? maxNumber;
  </script>`;
  const site = await serveFiles({ folders: { "/saltmine/": tarball.dist }, files: { "/": page } });
  const rates = [];
  try {
    const tab = await browser.open(`${site.origin}/`);
    while (!(await tab.evaluate(() => typeof globalThis.rate === "function")))
      await new Promise((resolve) => setTimeout(resolve, 50));
    for (let round = -1; round < rounds; round += 1) {
      progress(`version 1: round ${round + 1} of ${rounds}`);
      const hmacKey = "a key of this measurement";
      const [number, maxNumber] = [V1_CANDIDATES, V1_CANDIDATES];
      const challenge = await createChallenge({ hmacKey, number, maxNumber, saltLength: 12 });
      const input = { challenge, workers: WORKERS };
      const result = await tab.evaluate(
        ({ challenge, workers }) => globalThis.rate(challenge, workers),
        input,
      );
      if (result.number !== number) throw new Error(`found ${result.number}`);
      if (round >= 0) rates.push(result.perSecond);
    }
    await tab.close();
  } finally {
    await site.close();
  }
  return quartiles(rates);
}

/** The rates of a visitor with two workers, by the names of kdf.mjs; version 1 is `v1`. */
async function measureVisitor(rounds, progress) {
  const tarball = await installTarball();
  const browser = await launch("chromium", { fineClock: true });
  try {
    const v1 = await measureV1(browser, tarball, rounds, progress);
    const keys = await measureKeyRates(browser, tarball, rounds, progress);
    const two = keys.map(({ name, rates }) => [name, rates[`simd ${WORKERS}`]]);
    return { title: browser.title, rates: { v1, ...Object.fromEntries(two) } };
  } finally {
    await browser.close();
    await tarball.remove();
  }
}

/** The figures of each price. */
export function costs(attack, visitor) {
  return PRICES.map((price) => {
    const { algorithm, cost = 0, memoryCost = 0, candidates, what, rates = "v1" } = price;
    const methods = attack.filter(
      (method) => method.algorithm === algorithm && method.cost === cost && method.memoryCost === memoryCost,
    );
    const best = methods.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
    const visitorMs = (candidates / visitor[rates].median) * 1000;
    const attackerMs = (candidates / best.perSecond) * 1000;
    return {
      what,
      candidates,
      visitorMs,
      attackerMs,
      method: best.method,
      coreHoursPerMillion: attackerMs / 3600,
      advantage: (visitorMs * WORKERS) / attackerMs,
    };
  });
}

const shown = (value) => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2));

/** The table of docs/threat-model.md. */
export function costTable(rows, { cpu, date, title }) {
  const head = [
    "price of a session",
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
