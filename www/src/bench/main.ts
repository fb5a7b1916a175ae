/** The benchmark page: the solvers take turns in this very browser, and the visitor watches. */
import { part } from "../page.js";
import { startTheme } from "../theme.js";
import { Chart } from "./chart.js";
import { makeRows } from "./contest.js";
import { ENTRANTS, KEY_ENTRANTS, USUAL, USUAL_KEYS } from "./entrants.js";
import { keys, mhs, times, usualKeysMs, usualMs } from "./figures.js";
import { type Rates, ratio, type Row, takeTurns } from "./rounds.js";
import { quartiles } from "./statistics.js";
import { ResultTable } from "./table.js";

/** Long enough for a clock of whole milliseconds; all solvers of a round together stay under the five seconds after
 * which the package ends an idle worker, and its warm code with it. */
const TURN_MS = 400;
const WARM_UP_MS = 500;
const MOST_ROUNDS = 50;

startTheme();
const bar = part<HTMLProgressElement>("bench-progress");
const button = part<HTMLButtonElement>("bench-start");
const status = part("bench-status");
const tables = [
  new ResultTable(part("bench-rows"), { entrants: ENTRANTS, usual: USUAL, rate: mhs, usualMs }),
  new ResultTable(part("bench-keys"), {
    entrants: KEY_ENTRANTS,
    usual: USUAL_KEYS,
    rate: keys,
    usualMs: usualKeysMs,
  }),
];
const chart = new Chart(part("bench-chart"));
const rounds = part<HTMLSelectElement>("bench-rounds");
offerRounds(Number(new URL(location.href).searchParams.get("rounds")));

if (globalThis.crypto?.subtle) {
  let underWay: AbortController | undefined;
  const start = async () => {
    underWay = new AbortController();
    button.textContent = "Stop";
    rounds.disabled = true;
    try {
      await run(Number(rounds.value), underWay.signal);
    } finally {
      for (const table of tables) table.mark(undefined);
      rounds.disabled = false;
      button.textContent = "Start";
      underWay = undefined;
    }
  };
  part<HTMLFormElement>("bench-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (underWay) underWay.abort();
    else void start();
  });
} else {
  button.disabled = true;
  say(
    "failed",
    "Open this page over https or on localhost: otherwise browsers have no WebCrypto, which altcha-lib and this page's checks use.",
  );
}

/** A number of rounds from the page's address joins the choice. */
function offerRounds(wanted: number): void {
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST_ROUNDS) return;
  const value = String(wanted);
  if (![...rounds.options].some((option) => option.value === value)) rounds.add(new Option(value, value));
  rounds.value = value;
}

async function run(count: number, signal: AbortSignal): Promise<void> {
  const labels = new Map([...ENTRANTS, ...KEY_ENTRANTS].map(({ name, label }) => [name, label]));
  const { rows, close } = makeRows(ENTRANTS, signal);
  const rates: Rates = {};
  const missing = new Set<string>();
  const show = () => {
    for (const table of tables) table.show(rates);
    chart.show(rates, missing);
  };
  for (const table of tables) table.clear();
  show();
  showVerdict(rates);
  bar.value = 0;
  try {
    await takeTurns(rows, {
      rounds: count,
      warmUpMs: WARM_UP_MS,
      turnMs: TURN_MS,
      signal,
      onTurn: ({ name }, done, total) => {
        bar.value = done / total;
        for (const table of tables) table.mark(name);
        part("bench-turn").textContent = labels.get(name) ?? "";
        const round = Math.floor(done / rows.length);
        say("running", round === 0 ? "Warming up" : `Round ${round} of ${count}`);
      },
      onRate: ({ name }, mhs) => {
        (rates[name] ??= []).push(mhs);
        show();
      },
      onFailure: (row: Row, error) => {
        delete rates[row.name];
        missing.add(row.name);
        for (const table of tables) table.fail(row.name, ...explain(error));
        show();
      },
    });
    bar.value = 1;
    say("done", `Done, ${count} ${count === 1 ? "round" : "rounds"}.`);
    showVerdict(rates);
  } catch (error) {
    if (signal.aborted) say("stopped", "Stopped.");
    else say("failed", explain(error).join(" "));
  } finally {
    part("bench-turn").textContent = "";
    close();
  }
}

/** Told again only when it changes: a screen reader reads each out. */
function say(state: "running" | "done" | "stopped" | "failed", text: string): void {
  status.dataset.state = state;
  if (status.textContent !== text) status.textContent = text;
}

/** The best of ours against what is usual. */
function showVerdict(rates: Rates): void {
  const ours = ENTRANTS.find(({ name, engine }) => engine && rates[name]);
  const factor = ours && ratio(rates, ours.name, USUAL);
  part("bench-verdict").hidden = !factor;
  if (!ours || !factor) return;
  const [fast, slow] = [ours.name, USUAL].map((name) => usualMs(quartiles(rates[name] ?? []).median));
  part("bench-factor").textContent = `${times(factor.median)} ×`;
  part("bench-meaning").textContent =
    `as fast as ${USUAL}: in this browser ${ours.label} takes ${fast} ms for a usual challenge, ${USUAL} ${slow} ms.`;
}

/** A sentence, and what the browser says. */
function explain(error: unknown): [sentence: string, detail: string] {
  if (!(error instanceof Error)) return ["It failed unexpectedly.", String(error)];
  return "cause" in error && typeof error.cause === "string"
    ? [error.message, error.cause]
    : ["It does not run here.", error.message];
}
