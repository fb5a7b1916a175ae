/**
 * Keys per second of ALTCHA version 2 beside the `altcha` 3.2.2 widget's own workers, and the time from navigation to a
 * verified payload beside a page with that widget: `npm run bench -- --only keys`.
 *
 * Every worker has a nonce of its own: Firefox's library caches the results of PBKDF2.
 */
import { fileURLToPath } from "node:url";
import { deriveKeyOf, theirChallenge, theyVerify } from "../support/altcha-v2.mjs";
import { BLANK_PAGE, serveFiles } from "../support/static.mjs";
import { ourRate, theirRate } from "./kdf-page.mjs";
import { quartiles } from "./shared.mjs";

const WIDGET = fileURLToPath(new URL("..", import.meta.resolve("altcha-3")));
const RATE_MS = 600;

/** `counter`: how far the widget's workers count in a round. */
export const CASES = [
  {
    name: "PBKDF2/SHA-256, cost 5000",
    algorithm: "PBKDF2/SHA-256",
    cost: 5000,
    file: "pbkdf2",
    counter: 500,
  },
  { name: "SHA-256, cost 1000", algorithm: "SHA-256", cost: 1000, file: "sha", counter: 40 },
  {
    name: "SCRYPT, N 16384, r 8",
    algorithm: "SCRYPT",
    cost: 16384,
    memoryCost: 8,
    file: "scrypt",
    counter: 8,
  },
  {
    name: "SCRYPT, N 65536, r 8",
    algorithm: "SCRYPT",
    cost: 65536,
    memoryCost: 8,
    file: "scrypt",
    counter: 2,
  },
  {
    name: "ARGON2ID, t 2, 16 MiB",
    algorithm: "ARGON2ID",
    cost: 2,
    memoryCost: 16384,
    file: "argon2id",
    counter: 8,
  },
  {
    name: "ARGON2ID, t 2, 64 MiB",
    algorithm: "ARGON2ID",
    cost: 2,
    memoryCost: 65536,
    file: "argon2id",
    counter: 2,
  },
];

/** The ratios of a case: two measurements of the same round. */
const RATIOS = {
  "one SIMD worker / widget's one": ["simd 1", "widget 1"],
  "two SIMD workers / widget's two": ["simd 2", "widget 2"],
  "two SIMD workers / widget's one": ["simd 2", "widget 1"],
  "engine chosen, one worker / widget's one": ["chosen 1", "widget 1"],
  "two SIMD workers / one": ["simd 2", "simd 1"],
  "one scalar worker / widget's one": ["scalar 1", "widget 1"],
};

/** `[{ name, rates, ratios }]` of a browser: quartiles of keys per second and of ratios within a round. */
export async function measureKeyRates(browser, tarball, rounds, progress, cases = CASES) {
  const site = await serveFiles({ folders: { "/saltmine/": tarball.dist, "/altcha/": WIDGET } });
  const page = await browser.open(site.origin);
  const results = [];
  try {
    for (const { name, algorithm, cost, memoryCost, file, counter } of cases) {
      const challenges = (count) =>
        Promise.all(
          Array.from({ length: count }, () =>
            theirChallenge(algorithm, { cost, ...(memoryCost && { memoryCost }), counter }),
          ),
        );
      const ours = (engine, count) => async () =>
        page.evaluate(ourRate, { challenges: await challenges(count), engine, ms: RATE_MS });
      const theirs = (count) => async () =>
        page.evaluate(theirRate, { challenges: await challenges(count), file, counter });
      const measure = {
        "widget 1": theirs(1),
        "simd 1": ours("simd128", 1),
        "simd 2": ours("simd128", 2),
        ...(algorithm.startsWith("PBKDF2") && { "widget 2": theirs(2), "chosen 1": ours("chosen", 1) }),
        "scalar 1": ours("scalar", 1),
      };
      const rates = Object.fromEntries(Object.keys(measure).map((key) => [key, []]));
      for (let round = 0; round < rounds; round += 1) {
        progress(`${name}: round ${round + 1} of ${rounds}`);
        const keys = Object.keys(measure);
        for (const key of round % 2 ? keys.reverse() : keys) rates[key].push((await measure[key]()).rate);
      }
      const ratios = Object.entries(RATIOS)
        .filter(([, [a, b]]) => rates[a] && rates[b])
        .map(([what, [a, b]]) => [what, quartiles(rates[a].map((rate, round) => rate / rates[b][round]))]);
      const median = Object.entries(rates).map(([key, list]) => [key, quartiles(list)]);
      results.push({ name, rates: Object.fromEntries(median), ratios: Object.fromEntries(ratios) });
    }
  } finally {
    await page.close();
    await site.close();
  }
  return results;
}

const WIDGET_PAGE = (lines) => `${BLANK_PAGE}<body><script type="module">
  import "/altcha/main/altcha.js";
  ${lines}
  const widget = document.createElement("altcha-widget");
  widget.addEventListener("verified", ({ detail }) => (globalThis.done = { at: performance.now(), payload: detail.payload }));
  widget.setAttribute("challenge", "/challenge.json");
  widget.setAttribute("auto", "onload");
  widget.setAttribute("configuration", '{"minDuration":0}');
  document.body.append(widget);
</script>`;

/** The pages that take turns. */
const PAGES = {
  "saltmine, solve()": `${BLANK_PAGE}<script type="module">
    import { solve } from "/saltmine/index.js";
    const challenge = await (await fetch("/challenge.json")).json();
    const { counter, derivedKey } = await solve(challenge);
    globalThis.done = { at: performance.now(), payload: btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } })) };
  </script>`,
  "altcha widget with saltmine/altcha-workers": WIDGET_PAGE(
    'import { registerWorkers } from "/saltmine/altcha-workers.js"; registerWorkers();',
  ),
  "altcha widget": WIDGET_PAGE(""),
};

/** Milliseconds from navigation to a payload that altcha-lib verifies, at upstream's usual difficulty. */
export async function measureKeyPages(browser, tarball, rounds, progress) {
  const price = { cost: 5000, counter: 5000, deriveKey: deriveKeyOf("PBKDF2/SHA-256") };
  let challenge;
  const names = Object.keys(PAGES);
  const site = await serveFiles({
    folders: { "/saltmine/": tarball.dist, "/altcha/": WIDGET },
    files: Object.fromEntries(names.map((name, at) => [`/${at}`, PAGES[name]])),
    answer: (path) =>
      path === "/challenge.json" && {
        status: 200,
        type: "application/json",
        body: JSON.stringify(challenge),
      },
  });
  const times = Object.fromEntries(names.map((name) => [name, []]));
  try {
    for (let round = -1; round < rounds; round += 1) {
      progress(`pages: round ${round + 1} of ${rounds}`);
      for (const [at, name] of names.entries()) {
        challenge = await theirChallenge("PBKDF2/SHA-256", price);
        const page = await browser.open(`${site.origin}/${at}`);
        let done;
        while (!(done = await page.evaluate(() => globalThis.done ?? null)))
          await new Promise((resolve) => setTimeout(resolve, 50));
        await page.close();
        if (!(await theyVerify(challenge, JSON.parse(atob(done.payload)).solution)))
          throw new Error(`${name} did not do its work`);
        // The browser's own first time is nobody's.
        if (round >= 0) times[name].push(done.at);
      }
    }
  } finally {
    await site.close();
  }
  const theirs = times["altcha widget"];
  return names.map((name) => ({
    name,
    ms: quartiles(times[name]),
    ratio: quartiles(times[name].map((time, round) => time / theirs[round])),
  }));
}
