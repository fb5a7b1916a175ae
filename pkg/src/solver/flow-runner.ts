/** Runs the flow: in an engine from the pool, in another if that dies, with more engines for a search that is worth it. */
import { loadRequests, loadSearch } from "#runtime";
import { loadChunk } from "../common/load-chunk.js";
import type { WorkerClient } from "./worker-client.js";
import type { Backend, FlowOptions, Share, Update } from "./messages.js";
import type { WorkerPool } from "./worker-pool.js";
import type { Measured } from "./progress.js";
import type { Grant, RequestStep, Solved } from "../worker/wasm-module.js";

/** Engines that one flow may use up. */
const MOST_ENGINES = 3;

/** What every flow of a client has in common. */
export interface FlowRunnerOptions {
  flow: Omit<FlowOptions, "token" | "solution">;
  origin: string | undefined;
  timeoutMs: number;
  workers: number;
  fetch: typeof fetch | undefined;
}

/** One flow. */
export interface Run {
  /** The old token, so that the visitor keeps their identity. */
  token?: string | undefined;
  /** One that was prepared ahead. */
  solution?: string | undefined;
  /** Ends with a solution instead of a session. */
  solveOnly: boolean;
  /** How many workers a search may have that is worth several; else it is as many as the client may have. */
  workers?: () => number;
  signal: AbortSignal;
  onState(state: Extract<Update, { type: "state" }>["state"], backend: Backend): void;
  onProgress(measured: Measured): void;
}

/** What a flow ends with. */
export interface Outcome {
  value: Grant | Solved;
  /** What carried the flow out, or what searched if that was another. */
  backend: Backend;
  /** The search, if there was one. */
  measured: Measured | undefined;
}

export class FlowRunner {
  readonly #pool: WorkerPool;
  readonly #options: FlowRunnerOptions;

  constructor(pool: WorkerPool, options: FlowRunnerOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  async run(run: Run): Promise<Outcome> {
    for (let tries = 1; ; tries += 1) {
      const link = await this.#pool.take({}, run.signal);
      try {
        return await this.#runOn(link, run);
      } catch (error) {
        // An engine that died takes its flow with it: once more, with another.
        if (link.usable || run.signal.aborted || tries === MOST_ENGINES) throw error;
      } finally {
        this.#pool.giveBack(link, {});
      }
    }
  }

  async #runOn(link: WorkerClient, run: Run): Promise<Outcome> {
    const { token, solution, solveOnly, signal, onState, onProgress } = run;
    const { flow, origin, timeoutMs, fetch } = this.#options;
    const most = this.#options.workers;
    const over = new AbortController();
    let { backend } = link;
    let measured: Measured | undefined;
    const progress = (now: Measured) => {
      measured = now;
      onProgress(now);
    };
    const onUpdate = (update: Update) => {
      if (update.type === "state") onState(update.state, link.backend);
      else progress(update);
    };
    const onShare = async (share: Share) => {
      const chunk = await loadSearch().catch(() => undefined);
      // Without the file that distributes a search this engine goes on alone, if it has the hash function.
      if (!chunk && share.elapsedMs > 0)
        return searchAlone(link, share, flow.maxNumber, over.signal, progress);
      const { ParallelSearch } = chunk ?? (await loadChunk(loadSearch));
      const workers = run.workers?.() ?? most;
      const context = { pool: this.#pool, start: 0, maxNumber: flow.maxNumber, workers, signal: over.signal };
      const search = new ParallelSearch({ ...context, onProgress: progress });
      const number = await search.share(share, link, {});
      backend = search.backend ?? backend;
      return number;
    };
    // A function cannot cross to a worker: its requests come to the page.
    const onFetch =
      fetch &&
      (async (step: RequestStep) =>
        (await loadChunk(loadRequests)).exchange(fetch, step, timeoutMs, over.signal));
    const options = { ...flow, token, solution };
    const request = {
      type: "session",
      options,
      solveOnly,
      origin,
      timeoutMs,
      share: most > 1,
      fetchOnPage: fetch !== undefined,
    } as const;
    try {
      const value = (await link.request(request, { signal, onUpdate, onShare, onFetch })) as Grant | Solved;
      return { value, backend, measured };
    } finally {
      over.abort();
    }
  }
}

/** Searches the rest of a range on the engine that has offered to share it. */
async function searchAlone(
  link: WorkerClient,
  { challenge, start, end, searched, elapsedMs }: Share,
  maxNumber: number,
  signal: AbortSignal,
  onProgress: (measured: Measured) => void,
): Promise<number | null> {
  const request = { type: "search", challenge, maxNumber, start, end } as const;
  const onUpdate = (update: Update) => {
    if (update.type !== "progress") return;
    const total = searched + update.total;
    onProgress({ searched: searched + update.searched, total, elapsedMs: elapsedMs + update.elapsedMs });
  };
  return (await link.request(request, { signal, onUpdate })) as number | null;
}
