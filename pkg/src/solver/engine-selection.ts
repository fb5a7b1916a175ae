/** From the best engine down to one that works: a worker that proves itself, else the page's own thread. */
import { type Kind, loadPageEngine, spawn, type Thread } from "#runtime";
import { abortReason } from "../common/abort.js";
import { describe } from "../common/describe.js";
import { SaltmineError } from "../common/errors.js";
import { WorkerClient } from "./worker-client.js";
import type { Engine, Report } from "./messages.js";

/** A worker that has not proved itself after this long is given up. */
const HANDSHAKE_MS = 10_000;
/** A rung that took longer than this to fail is not tried again for some time: a visitor waits for it once. */
const SLOW_MS = 1_000;
const REMEMBER_MS = 600_000;

/** What is asked of an engine. */
export interface Wanted {
  /** The highest engine to stand on; the best there is unless it is named. */
  engine?: Engine | undefined;
  /** Why no higher one. */
  reason?: string | undefined;
  /** Every hash function, not SHA-256 alone. */
  rare?: boolean;
  /** Compiled code of that very engine. */
  module?: WebAssembly.Module | undefined;
}

/** Where the package's files are, when they are not beside it. */
export interface AssetLocations {
  /** The worker's script. */
  workerUrl?: string | undefined;
  /** The folder of the wasm modules. */
  wasmUrl?: string | undefined;
}

interface Rung {
  javascript: boolean;
  thread: "worker" | "page";
  /** Where to step when it fails; `unheard` when there was no sign of life at all. */
  next?: number;
  unheard?: number;
}

const RUNGS: readonly Rung[] = [
  // A worker that tells what is wrong is a worker all the same.
  { thread: "worker", javascript: false, next: 1, unheard: 2 },
  { thread: "worker", javascript: true, next: 3 },
  { thread: "page", javascript: false, next: 3 },
  { thread: "page", javascript: true },
];

/** The rung to begin with, and why not higher. */
let known = { rung: 0, reasons: [] as string[], until: 0 };

/** Climbs down the ladder until an engine has proved itself; an abort ends what was started. */
export async function connect(
  wanted: Wanted,
  locations: AssetLocations,
  signal: AbortSignal,
): Promise<WorkerClient> {
  const remembered = performance.now() < known.until;
  const reasons = remembered ? [...known.reasons] : [];
  let rung = remembered ? known.rung : 0;
  if (wanted.engine === "javascript" && !RUNGS[rung]?.javascript) rung += 1;
  for (;;) {
    if (signal.aborted) throw abortReason(signal);
    const { javascript, thread, next, unheard } = RUNGS[rung] as Rung;
    const began = performance.now();
    try {
      return await start(wanted, locations, javascript, thread, reasons, signal);
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      const { heard, message } = error as StartFailure;
      const about = thread === "page" ? "on the page: " : heard ? "" : "no worker: ";
      reasons.push(`${about}${message}`);
      const below = heard ? next : (unheard ?? next);
      if (below === undefined) {
        throw new SaltmineError({ code: "engine_unavailable", detail: reasons.join("; ") }, error);
      }
      rung = below;
      const now = performance.now();
      if (now - began > SLOW_MS) known = { rung, reasons: [...reasons], until: now + REMEMBER_MS };
    }
  }
}

/** Why there is no engine. */
interface StartFailure extends Error {
  /** Whether the thread gave a sign of life. */
  heard: boolean;
}

/** Starts an engine; resolves when it has proved itself, rejects with the reason why not. */
function start(
  wanted: Wanted,
  { workerUrl, wasmUrl }: AssetLocations,
  javascript: boolean,
  thread: Rung["thread"],
  reasons: readonly string[],
  signal: AbortSignal,
): Promise<WorkerClient> {
  return new Promise((resolve, reject) => {
    let link: WorkerClient | undefined;
    let running: Thread | undefined;
    let over = false;
    let heard = false;
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    const onAbort = () => giveUp("aborted");
    const giveUp = (reason: string) => {
      settle();
      over = true;
      if (link) link.close({ code: "engine_failed", detail: reason });
      else running?.terminate();
      reject(Object.assign(new Error(reason), { heard }) satisfies StartFailure);
    };
    signal.addEventListener("abort", onAbort);
    const timer = setTimeout(giveUp, HANDSHAKE_MS, `no sign of life for ${HANDSHAKE_MS / 1000} s`);

    const onReport = (report: Report) => {
      if (report.type === "broken") {
        heard = true;
        giveUp(report.reason);
      } else if (report.type !== "started") link?.take(report);
      else if (running && !over) {
        settle();
        const { engine } = report;
        // Why not higher: what failed above, what the engine tells, what was asked for.
        const reason = [...reasons, report.reason ?? wanted.reason].filter(Boolean).join("; ");
        link = new WorkerClient(running, reason ? { engine, thread, reason } : { engine, thread }, report);
        resolve(link);
      }
    };
    const adopt = (started: Thread) => {
      running = started;
      if (over) started.terminate();
      else started.post({ type: "start", engine: wanted.engine, module: wanted.module, wasmUrl });
    };
    const kind = javascript ? (wanted.rare ? "javascript-all" : "javascript") : "wasm";
    const url = javascript ? undefined : workerUrl;
    const starting = thread === "page" ? onPage(kind, onReport) : inWorker(kind, url, onReport, giveUp);
    starting.then(adopt, (error) => giveUp(describe(error)));
  });
}

async function inWorker(...about: Parameters<typeof spawn>): Promise<Thread> {
  return spawn(...about);
}

async function onPage(kind: Kind, onReport: (report: Report) => void): Promise<Thread> {
  const { serveOnPage } = await loadPageEngine(kind);
  let open = true;
  const post = serveOnPage((report) => {
    if (open) onReport(report);
  });
  const terminate = () => {
    open = false;
  };
  return { post, terminate };
}
