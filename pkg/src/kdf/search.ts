/** The search of a challenge of version 2: workers by cores and by memory, which receive small blocks of counters. */
import { loadKeyPageEngine, machineMemory, threadCount } from "#kdf-runtime";
import type { Assets } from "../common/assets.js";
import { describe } from "../common/describe.js";
import type { Failure } from "../common/errors.js";
import { isStalled } from "../common/wasm-files.js";
import { VERSION } from "../common/version.js";
import { type KeyParameters, memoryBytes, readParameters } from "./challenge.js";
import { type Block, Counters } from "./counters.js";
import { compile } from "./compile.js";
import type {
  Found,
  KeyEngine,
  KeyReport,
  KeyThread,
  ModuleAhead,
  ModuleUrls,
  PageModule,
  SpawnKeyWorker,
} from "./messages.js";

/** The share of the machine's memory that the workers of a search may take together. */
const MEMORY_SHARE = 1 / 32;
const MOST_WORKERS = 16;
/** The time between two checks of the workers, in milliseconds. A machine that slept misses checks, but no reports. */
const WATCH_MS = 5_000;
/** The number of checks after which a worker without a report is terminated. */
const SILENT_CHECKS = 2;
/** The same where no speed is known yet: one key of Argon2id may take a slow phone seconds. */
const UNKNOWN_CHECKS = 12;
/** A block may take so many times as long as expected: a core may be slow, or shared with others. */
const PATIENCE = 20;
/** Blocks that a worker has at a time: one is tried, the next one waits, so that a busy page holds nothing up. */
const BLOCKS_AHEAD = 2;

/** The options of a search. */
export interface SearchOptions {
  parameters: KeyParameters;
  /** The first counter. */
  start: number;
  /** The last counter. */
  last: number;
  /** The maximum number of workers; chosen by the machine when undefined. */
  workers: number | undefined;
  engine: KeyEngine | undefined;
  /** Where the package's files are. */
  assets: Assets;
  /** Starts a worker. */
  spawn: SpawnKeyWorker;
  /** The module that was requested ahead. */
  wasm?: ModuleAhead | undefined;
  signal: AbortSignal;
  onProgress(tried: number, elapsedMs: number): void;
}

/** The result of a search. */
export interface SearchResult {
  found: Found | undefined;
  /** The number of derived keys. */
  tried: number;
  engine: KeyEngine;
  thread: "worker" | "page";
  reason: string | undefined;
}

/** The addresses of the modules of an algorithm. */
export const moduleUrls = ({ module }: KeyParameters, assets: Assets): ModuleUrls => ({
  [`kdf-${module}`]: assets(`kdf-${module}.wasm`),
  [`kdf-${module}-scalar`]: assets(`kdf-${module}-scalar.wasm`),
});

/** Returns the number of workers of a search: limited by cores and by memory. */
export function workerCount(parameters: KeyParameters, most: number | undefined): number {
  const byMemory = (machineMemory() * MEMORY_SHARE) / memoryBytes(parameters);
  const byCores = most ?? Math.min(MOST_WORKERS, threadCount());
  return Math.max(1, Math.floor(Math.min(byCores, byMemory)));
}

/** A running search. Throws a {@link Failure}. */
export class KeySearchPool {
  readonly #options: SearchOptions;
  readonly #urls: ModuleUrls;
  readonly #counters: Counters;
  readonly #workers = new Set<Member>();
  #watch: ReturnType<typeof setInterval> | undefined;
  readonly #began = performance.now();
  #most: number;
  /** Whether a single worker has not been tried yet: several may have taken all of the memory. */
  #isCrowded: boolean;
  /** Whether missing memory has halved the number of workers: reports of others that follow are of the same moment. */
  #isHalved = false;
  #tried = 0;
  #reasons: string[] = [];
  #engine: KeyEngine = "scalar";
  #thread: "worker" | "page" = "worker";
  #settle: { resolve(found: Found | undefined): void; reject(failure: Failure): void } | undefined;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#urls = moduleUrls(options.parameters, options.assets);
    this.#counters = new Counters(options.start, options.last);
    this.#most = workerCount(options.parameters, options.workers);
    this.#isCrowded = this.#most > 1;
  }

  async run(): Promise<SearchResult> {
    const { signal } = this.#options;
    const onAbort = () => this.#settle?.reject({ code: "aborted" });
    try {
      const found = await new Promise<Found | undefined>((resolve, reject) => {
        this.#settle = { resolve, reject };
        signal.addEventListener("abort", onAbort);
        if (signal.aborted) return onAbort();
        this.#watch = setInterval(() => this.#check(), WATCH_MS);
        this.#startAll().catch((error) => reject({ code: "engine_unavailable", detail: describe(error) }));
      });
      const reason = [...new Set(this.#reasons)].join("; ") || undefined;
      return { found, tried: this.#tried, engine: this.#engine, thread: this.#thread, reason };
    } finally {
      this.#settle = undefined;
      clearInterval(this.#watch);
      signal.removeEventListener("abort", onAbort);
      for (const worker of this.#workers) this.#remove(worker);
    }
  }

  /** The workers start while their module is requested and compiled, once for all of them. */
  async #startAll(): Promise<void> {
    const { parameters, engine, wasm } = this.#options;
    const loading: Promise<PageModule> =
      engine === "webcrypto"
        ? Promise.resolve({})
        : compile(parameters.module, engine, this.#urls, wasm).then(
            (compiled) => ({ compiled }),
            (error) => (isStalled(error) ? { stalled: describe(error) } : {}),
          );
    // Where the first worker is refused at once, the engine on the page takes its place, and that of the others.
    for (let count = this.#most; count > 0 && this.#thread === "worker"; count -= 1) this.#startOne(loading);
  }

  #startOne(loading: Promise<PageModule>): void {
    let member: Member | undefined;
    const give = (thread: KeyThread) => {
      const added = newMember(thread, loading);
      member = added;
      this.#workers.add(added);
      void loading.then((module) => {
        added.isStarted = true;
        const { parameters, engine } = this.#options;
        const isSlow = module.compiled?.engine === "scalar";
        const compares = engine === undefined && (isSlow || this.#most === 1);
        thread.post({ type: "start", parameters, engine, compares, urls: this.#urls, ...module });
      });
    };
    const onReport = (report: KeyReport) => member && this.#take(member, report);
    try {
      const onBroken = (reason: string) => member && this.#lost(member, `no worker: ${reason}`, false);
      give(this.#options.spawn(onReport, onBroken));
    } catch (error) {
      this.#reasons.push(`no worker: ${describe(error)}`);
      if (this.#workers.size === 0) void this.#startOnPage(loading);
    }
  }

  async #startOnPage(loading: Promise<PageModule>): Promise<void> {
    this.#thread = "page";
    this.#most = 1;
    try {
      const { serveKeysOnPage } = await loadKeyPageEngine();
      const { parameters, engine } = this.#options;
      const post = serveKeysOnPage((report) => this.#workers.has(member) && this.#take(member, report));
      const thread: KeyThread = { post, terminate: () => post({ type: "stop" }) };
      const member = newMember(thread, loading);
      this.#workers.add(member);
      const compares = engine === undefined;
      post({ type: "start", parameters, engine, compares, urls: this.#urls, ...(await loading) });
      if (!this.#settle) thread.terminate();
    } catch (error) {
      this.#end([...this.#reasons, describe(error)].join("; "));
    }
  }

  #take(member: Member, report: KeyReport): void {
    if (!this.#settle || !this.#workers.has(member)) return;
    member.silentChecks = 0;
    if (report.type === "failed") return this.#lost(member, report.reason, report.outOfMemory);
    if (report.type === "ready") {
      // A copy of the package's files that was not renewed with the page: what the messages mean may differ.
      if (report.version !== VERSION)
        return this.#lost(
          member,
          `its script is of version ${report.version}, the page's of ${VERSION}`,
          false,
        );
      member.width = report.width;
      if (report.reason) this.#reasons.push(report.reason);
    } else {
      member.blocks.shift();
      member.msPerCounter = report.ms / report.tried;
      this.#tried += report.tried;
      if (report.found) return this.#settle.resolve(report.found);
      this.#options.onProgress(this.#tried, performance.now() - this.#began);
    }
    this.#engine = report.engine;
    this.#feed(member);
  }

  /** Terminates the workers that stopped responding. An engine on the page is not checked: it cannot be replaced. */
  #check(): void {
    if (this.#thread === "page") return;
    const slowest = Math.max(...Array.from(this.#workers, ({ msPerCounter }) => msPerCounter));
    for (const member of [...this.#workers]) {
      // It waits for the module, whose download has a time limit of its own.
      if (!member.isStarted) continue;
      const isReady = member.width > 0;
      const [block] = member.blocks;
      const expectedMs = block ? block.count * (member.msPerCounter || slowest) : 0;
      const unknown = isReady ? UNKNOWN_CHECKS : SILENT_CHECKS;
      const most = expectedMs > 0 ? Math.max(SILENT_CHECKS, (PATIENCE * expectedMs) / WATCH_MS) : unknown;
      if (isReady && !block) member.silentChecks = 0;
      else if (++member.silentChecks > most)
        this.#lost(member, isReady ? "a worker stopped responding" : "no sign of life", false);
    }
  }

  #feed(member: Member): void {
    while (member.blocks.length < BLOCKS_AHEAD) {
      const block = this.#counters.take(member.width, member.msPerCounter);
      if (!block) break;
      member.blocks.push(block);
      member.thread.post({ type: "search", ...block });
      // Nothing is known of its speed before the first block.
      if (member.msPerCounter === 0) break;
    }
    const isDone = Array.from(this.#workers).every(({ blocks, width }) => blocks.length === 0 && width > 0);
    if (isDone) this.#settle?.resolve(undefined);
  }

  /** Removes a worker. If memory is missing, at most half of the workers continue. Other workers take over its blocks. */
  #lost(member: Member, reason: string, outOfMemory: boolean): void {
    if (!this.#settle || !this.#workers.has(member)) return;
    this.#remove(member);
    this.#reasons.push(reason);
    const halves = outOfMemory && !this.#isHalved;
    if (halves) this.#isHalved = true;
    this.#most = Math.max(1, halves ? Math.floor(this.#most / 2) : this.#most - 1);
    while (this.#workers.size > this.#most) {
      const latest = [...this.#workers].reverse();
      // One that is ready has its memory.
      this.#remove(latest.find(({ width }) => width === 0) ?? (latest[0] as Member));
    }
    if (this.#workers.size > 0) {
      for (const other of this.#workers) if (other.width > 0) this.#feed(other);
    } else if (outOfMemory && this.#isCrowded) {
      // The other workers took memory too: a single worker may get enough.
      this.#isCrowded = false;
      this.#startOne(member.loading);
    } else if (!outOfMemory && this.#thread === "worker") void this.#startOnPage(member.loading);
    else this.#end(this.#reasons.join("; "));
  }

  #remove(member: Member): void {
    this.#workers.delete(member);
    member.thread.terminate();
    for (const block of member.blocks) this.#counters.putBack(block);
  }

  #end(detail: string): void {
    this.#settle?.reject({ code: "engine_unavailable", detail });
  }
}

interface Member {
  thread: KeyThread;
  /** The blocks of this worker; it tries the first one now. */
  blocks: Block[];
  /** 0 until it is ready. */
  width: number;
  msPerCounter: number;
  loading: Promise<PageModule>;
  /** Whether it received its first message. */
  isStarted: boolean;
  /** The checks since its last report. */
  silentChecks: number;
}

const newMember = (thread: KeyThread, loading: Promise<PageModule>): Member => ({
  thread,
  blocks: [],
  width: 0,
  msPerCounter: 0,
  loading,
  isStarted: false,
  silentChecks: 0,
});

/** The last counter of a challenge: it is written in four bytes. */
export const MAX_COUNTER = 2 ** 32 - 1;

/** The options of {@link solveKeys}. */
export interface SolveKeysOptions extends Omit<SearchOptions, "parameters" | "last" | "engine"> {
  /** The last counter; the largest that there is when undefined. */
  last?: number | undefined;
  engine?: KeyEngine | undefined;
  /** The counter is written in decimal digits. */
  isDecimal?: boolean;
}

/** Solves the challenge; `found` is undefined when there is no solution. Throws a {@link Failure}. */
export async function solveKeys(
  challenge: unknown,
  { isDecimal = false, last, engine, ...options }: SolveKeysOptions,
): Promise<SearchResult> {
  const parameters = readParameters(challenge, isDecimal);
  const max = isDecimal ? Number.MAX_SAFE_INTEGER : MAX_COUNTER;
  const search = { ...options, parameters, engine, last: Math.min(max, last ?? max) };
  if (search.start > search.last) throw { code: "no_solution" } satisfies Failure;
  return new KeySearchPool(search).run();
}
