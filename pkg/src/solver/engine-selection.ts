/** From the best engine down to one that works: a worker that proves itself, else the page's own thread. */
import { loadPageEngine, spawn, wasmUrl } from "#runtime";
import type { Kind, Thread, Variant } from "../runtime/types.js";
import { abortReason } from "../common/abort.js";
import type { Assets } from "../common/assets.js";
import { describe } from "../common/describe.js";
import { SaltmineError } from "../common/errors.js";
import { WorkerClient } from "./worker-client.js";
import type { Engine, Report } from "./messages.js";

/** A worker that has not proved itself after this long is given up. */
const HANDSHAKE_MS = 10_000;
/** An engine that took longer than this to fail is not tried again for some time: a visitor waits for it once. */
const SLOW_MS = 1_000;
const REMEMBER_MS = 600_000;

/** What is asked of an engine. */
export interface Wanted {
  /** The best engine to use; the best there is unless it is named. */
  engine?: Engine | undefined;
  /** Why no better one. */
  reason?: string | undefined;
  /** Every hash function, not SHA-256 alone. */
  rare?: boolean;
  /** Compiled code of that very engine. */
  module?: WebAssembly.Module | undefined;
}

/** One engine in one place. */
interface Option {
  javascript: boolean;
  thread: "worker" | "page";
}

const WORKER_WASM: Option = { thread: "worker", javascript: false };
const WORKER_JAVASCRIPT: Option = { thread: "worker", javascript: true };
const PAGE_WASM: Option = { thread: "page", javascript: false };
const PAGE_JAVASCRIPT: Option = { thread: "page", javascript: true };

/**
 * Returns what to try after `failed`. A worker that reports what is wrong (`hasWorker`) can run JavaScript; but where it
 * only could not load its file (`unloaded`), WebAssembly on the page is faster than JavaScript in a worker.
 */
function optionAfter(failed: Option, hasWorker: boolean, unloaded: boolean): Option | undefined {
  if (failed === WORKER_WASM) return hasWorker && !unloaded ? WORKER_JAVASCRIPT : PAGE_WASM;
  if (failed === PAGE_WASM) return hasWorker ? WORKER_JAVASCRIPT : PAGE_JAVASCRIPT;
  return failed === WORKER_JAVASCRIPT ? PAGE_JAVASCRIPT : undefined;
}

/** What to begin with, and why not with a better one. */
let known = { option: WORKER_WASM, hasWorker: false, reasons: [] as string[], until: 0 };

/** Tries the engines from the best one on until one has proved itself; an abort ends what was started. */
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
      const { heard, unloaded, message } = error as StartFailure;
      const about = option.thread === "page" ? "on the page: " : heard ? "" : "no worker: ";
      reasons.push(`${about}${message}`);
      hasWorker ||= option.thread === "worker" && heard;
      const next = optionAfter(option, hasWorker, unloaded);
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

/** Why there is no engine. */
interface StartFailure extends Error {
  /** Whether the thread gave a sign of life. */
  heard: boolean;
  /** Whether it only could not load its file. */
  unloaded: boolean;
}

/** Starts an engine; resolves when it has proved itself, rejects with the reason why not. */
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
    let unloaded = false;
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
      reject(Object.assign(new Error(reason), { heard, unloaded }) satisfies StartFailure);
    };
    signal.addEventListener("abort", onAbort);
    const timer = setTimeout(giveUp, HANDSHAKE_MS, `no sign of life for ${HANDSHAKE_MS / 1000} s`);

    const onReport = (report: Report) => {
      if (report.type === "broken") {
        heard = true;
        ({ unloaded } = report);
        giveUp(report.reason);
      } else if (report.type !== "started") link?.take(report);
      else if (running && !over) {
        settle();
        const { engine } = report;
        // Why not a better one: what failed before, what the engine tells, what was asked for.
        const reason = [...reasons, report.reason ?? wanted.reason].filter(Boolean).join("; ");
        link = new WorkerClient(running, reason ? { engine, thread, reason } : { engine, thread }, report);
        resolve(link);
      }
    };
    const adopt = (started: Thread) => {
      running = started;
      if (over) started.terminate();
      else {
        const { engine, module } = wanted;
        const wasmUrls = { simd128: addressOf("simd128", assets), scalar: addressOf("scalar", assets) };
        started.post({ type: "start", engine, module, wasmUrls });
      }
    };
    const kind = javascript ? (wanted.rare ? "javascript-all" : "javascript") : "wasm";
    const suffix = kind === "wasm" ? ("" as const) : (`-${kind}` as const);
    const starting =
      thread === "page"
        ? onPage(kind, assets(`page-engine${suffix}.js`), onReport)
        : inWorker(kind, assets(`worker${suffix}.js`), onReport, giveUp);
    starting.then(adopt, (error) => giveUp(describe(error)));
  });
}

/** Returns the address of a module; nothing where there is none, such as in a bundle of one file. */
function addressOf(variant: Variant, assets: Assets): string | undefined {
  try {
    return assets(`${variant}.wasm`) ?? wasmUrl(variant);
  } catch {
    return undefined;
  }
}

async function inWorker(...about: Parameters<typeof spawn>): Promise<Thread> {
  return spawn(...about);
}

async function onPage(
  kind: Kind,
  url: string | undefined,
  onReport: (report: Report) => void,
): Promise<Thread> {
  const { serveOnPage } = await loadPageEngine(kind, url);
  let open = true;
  const post = serveOnPage((report) => {
    if (open) onReport(report);
  });
  const terminate = () => {
    open = false;
  };
  return { post, terminate };
}
