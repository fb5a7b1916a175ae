/** Selects the best engine that works: in a worker that responds, else on the page's own thread. */
import { engineUrl, loadPageEngine, spawn } from "#runtime";
import type { Thread } from "../runtime/types.js";
import { abortReason } from "../common/abort.js";
import type { Assets } from "../common/assets.js";
import { describe } from "../common/describe.js";
import { SaltmineError } from "../common/errors.js";
import { requestAhead } from "../common/wasm-files.js";
import { VERSION } from "../common/version.js";
import { WorkerClient } from "./worker-client.js";
import type { ClientEngine, Engine, Report } from "./messages.js";

/** A worker that has not proved itself after this long is given up. */
const HANDSHAKE_MS = 10_000;
/** An engine that took longer than this to fail is not tried again for some time: a visitor waits for it once. */
const SLOW_MS = 1_000;
const REMEMBER_MS = 600_000;

/** The requirements for an engine. */
export interface Wanted {
  /** The best engine to use; the best there is unless it is named. */
  engine?: Engine | undefined;
  /** The reason why no better engine is used. */
  reason?: string | undefined;
  /** The compiled module of that engine. */
  module?: WebAssembly.Module | undefined;
}

/** An engine and its thread. */
interface Option {
  javascript: boolean;
  thread: "worker" | "page";
}

const WORKER_WASM: Option = { thread: "worker", javascript: false };
const WORKER_JAVASCRIPT: Option = { thread: "worker", javascript: true };
const PAGE_WASM: Option = { thread: "page", javascript: false };
const PAGE_JAVASCRIPT: Option = { thread: "page", javascript: true };

/**
 * Returns the next attempt after `failed`. A worker whose WebAssembly is refused runs JavaScript by itself; if it only
 * could not load a file, WebAssembly on the page is faster than JavaScript in a worker that works (`hasWorker`).
 */
function optionAfter(failed: Option, hasWorker: boolean): Option | undefined {
  if (failed === WORKER_WASM) return PAGE_WASM;
  if (failed === PAGE_WASM) return hasWorker ? WORKER_JAVASCRIPT : PAGE_JAVASCRIPT;
  return failed === WORKER_JAVASCRIPT ? PAGE_JAVASCRIPT : undefined;
}

/** The engine to start with, and the reasons why no better one can be used. */
let known = { option: WORKER_WASM, hasWorker: false, reasons: [] as string[], until: 0 };

/** Tries the engines from the best one on until one is ready; an abort ends the engine that was started. */
export async function connect(wanted: Wanted, assets: Assets, signal: AbortSignal): Promise<WorkerClient> {
  const remembered = performance.now() < known.until;
  const reasons = remembered ? [...known.reasons] : [];
  let option = remembered ? known.option : WORKER_WASM;
  let hasWorker = remembered && known.hasWorker;
  if (wanted.engine === "javascript" && !option.javascript)
    option = option === WORKER_WASM || hasWorker ? WORKER_JAVASCRIPT : PAGE_JAVASCRIPT;
  for (;;) {
    if (signal.aborted) throw abortReason(signal);
    const began = performance.now();
    try {
      return await start(wanted, assets, option, reasons, signal);
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      const { heard, message } = error as StartFailure;
      const about = option.thread === "page" ? "on the page: " : heard ? "" : "no worker: ";
      reasons.push(`${about}${message}`);
      hasWorker ||= option.thread === "worker" && heard;
      const next = optionAfter(option, hasWorker);
      if (next === undefined) {
        throw new SaltmineError({ code: "engine_unavailable", detail: reasons.join("; ") }, error);
      }
      option = next;
      const now = performance.now();
      if (now - began > SLOW_MS)
        known = { option, hasWorker, reasons: [...reasons], until: now + REMEMBER_MS };
    }
  }
}

/** The error of an attempt. */
interface StartFailure extends Error {
  /** Whether the thread has sent a message. */
  heard: boolean;
}

/** Starts an engine; resolves when it is ready, and rejects with the reason if it fails. */
function start(
  wanted: Wanted,
  assets: Assets,
  { javascript, thread }: Option,
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
        // A copy of the package's files that was not renewed with the page: what the messages mean may differ.
        if (report.version !== VERSION)
          return giveUp(`its script is of version ${report.version}, the page's of ${VERSION}`);
        settle();
        const { engine } = report;
        // Why not a better engine: the failures before, the reason that the engine reports, or the caller's choice.
        const reason = [...reasons, report.reason ?? wanted.reason].filter(Boolean).join("; ");
        link = new WorkerClient(running, reason ? { engine, thread, reason } : { engine, thread }, report);
        resolve(link);
      }
    };
    const urls = {
      simd128: addressOf("simd128", assets),
      scalar: addressOf("scalar", assets),
      javascript: addressOf("javascript", assets),
    };
    const engine = javascript ? "javascript" : wanted.engine;
    const { module } = wanted;
    const ahead =
      thread === "worker" &&
      !module &&
      !engine &&
      urls.simd128 &&
      requestAhead(urls.simd128).catch(() => undefined);
    const adopt = async (started: Thread) => {
      running = started;
      const wasm = (await ahead) || undefined;
      if (over) started.terminate();
      else started.post({ type: "start", engine, module, wasm, urls });
    };
    const starting =
      thread === "page"
        ? onPage(assets("page-engine.js"), onReport)
        : inWorker(assets("worker.js"), onReport, giveUp);
    starting.then(adopt).catch((error) => giveUp(describe(error)));
  });
}

/** Returns the address of an engine's file; nothing where there is none, such as in a bundle of one file. */
function addressOf(engine: ClientEngine, assets: Assets): string | undefined {
  try {
    return assets(engine === "javascript" ? "javascript.js" : `${engine}.wasm`) ?? engineUrl(engine);
  } catch {
    return undefined;
  }
}

async function inWorker(...about: Parameters<typeof spawn>): Promise<Thread> {
  return spawn(...about);
}

async function onPage(url: string | undefined, onReport: (report: Report) => void): Promise<Thread> {
  const { serveOnPage } = await loadPageEngine(url);
  let open = true;
  const post = serveOnPage((report) => {
    if (open) onReport(report);
  });
  const terminate = () => {
    open = false;
  };
  return { post, terminate };
}
