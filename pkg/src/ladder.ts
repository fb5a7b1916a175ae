/** From the best engine down to one that works: a worker that proves itself, else the page's own thread. */
import { loadPageEngine, spawn, type Thread } from "#spawn";
import { abortError, untilAborted } from "./abort.js";
import { describe } from "./describe.js";
import { SaltmineError } from "./errors.js";
import { LacksAlgorithm, Link } from "./link.js";
import type { Backend, Engine, Report } from "./messages.js";

/** A worker that has not proved itself after this long is given up. */
const HANDSHAKE_MS = 10_000;

const NO_SIMD = "this runtime has no WebAssembly SIMD";
const NO_SIMD_FOR_ALGORITHM = "the challenge's hash function has no SIMD engine";

/** What the caller asks for: `scalar` for the rare hash functions, else the best there is. */
export type Wanted = Extract<Engine, "scalar"> | undefined;

/** Runs with the best engine; where that lacks the challenge's hash function, once more with the one that has all. */
export async function onCapableEngine<T>(run: (wanted: Wanted) => Promise<T>): Promise<T> {
  try {
    return await run(undefined);
  } catch (error) {
    if (!(error instanceof LacksAlgorithm)) throw error;
    return run("scalar");
  }
}

/** Climbs down the ladder until an engine has proved itself; an abort ends what was started. */
export function connect(wanted: Wanted, signal: AbortSignal): Promise<Link> {
  const connecting = climbDown(wanted, signal);
  connecting.then(
    (link) => signal.aborted && link.close({ code: "aborted" }),
    () => {},
  );
  return untilAborted(connecting, signal);
}

async function climbDown(wanted: Wanted, signal: AbortSignal): Promise<Link> {
  if (signal.aborted) throw abortError(signal);
  try {
    return await start(wanted, inWorker, "worker");
  } catch (inWorkerFailed) {
    if (signal.aborted) throw abortError(signal);
    const reason = `no worker: ${describe(inWorkerFailed)}`;
    try {
      return await start(wanted, onPage, "page", reason);
    } catch (onPageFailed) {
      throw new SaltmineError(
        { code: "engine_unavailable", detail: `${reason}; on the page: ${describe(onPageFailed)}` },
        onPageFailed,
      );
    }
  }
}

type Starter = (
  wanted: Wanted,
  onReport: (report: Report) => void,
  onBroken: (reason: string) => void,
) => Promise<Thread>;

const inWorker: Starter = async (_wanted, onReport, onBroken) => spawn(onReport, onBroken);

const onPage: Starter = async (wanted, onReport) => {
  const { serveOnPage } = await loadPageEngine(wanted);
  let open = true;
  const post = serveOnPage((report) => {
    if (open) onReport(report);
  });
  const terminate = () => {
    open = false;
  };
  return { post, terminate };
};

/** Starts an engine; resolves when it has proved itself, rejects with the reason why not. */
function start(
  wanted: Wanted,
  starter: Starter,
  thread: Backend["thread"],
  fellFrom?: string,
): Promise<Link> {
  return new Promise((resolve, reject) => {
    let link: Link | undefined;
    let running: Thread | undefined;
    let over = false;
    const giveUp = (reason: string) => {
      clearTimeout(timer);
      over = true;
      if (link) link.close({ code: "engine_failed", detail: reason });
      else running?.terminate();
      reject(new Error(reason));
    };
    const timer = setTimeout(giveUp, HANDSHAKE_MS, `no sign of life for ${HANDSHAKE_MS / 1000} s`);

    const onReport = (report: Report) => {
      if (report.type === "broken") giveUp(report.reason);
      else if (report.type !== "started") link?.take(report);
      else if (running && !over) {
        clearTimeout(timer);
        link = new Link(running, backendOf(report.engine, thread, wanted, fellFrom));
        resolve(link);
      }
    };
    const adopt = (started: Thread) => {
      running = started;
      if (over) started.terminate();
      else started.post({ type: "start", engine: wanted });
    };
    starter(wanted, onReport, giveUp).then(adopt, (error) => giveUp(describe(error)));
  });
}

function backendOf(engine: Engine, thread: Backend["thread"], wanted: Wanted, fellFrom?: string): Backend {
  const slow = wanted ? NO_SIMD_FOR_ALGORITHM : NO_SIMD;
  const reason = [fellFrom, engine === "scalar" ? slow : undefined].filter(Boolean).join("; ");
  return reason ? { engine, thread, reason } : { engine, thread };
}
