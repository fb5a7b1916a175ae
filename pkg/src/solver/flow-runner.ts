/**
 * Runs the flow: in an engine from the pool, in another if that dies, with more engines for a search that is long enough.
 * The first requests are sent from here while the engine starts, and the engine is not started when nothing is to be solved.
 */
import { loadKeySearch, loadSearch } from "#chunks";
import { abortReason, abortWith } from "../common/abort.js";
import { type Flow, type FlowRunnerOptions, OLDER_PATH, type Outcome, type Run } from "./flow.js";
import { asSaltmineError, SaltmineError } from "../common/errors.js";
import { requireGlobals } from "../common/globals.js";
import { loadChunk } from "../common/assets.js";
import type { ModuleName } from "../kdf/challenge.js";
import type { Grant, HttpRequest, HttpResponse, NoResponse, SessionOptions, Solved } from "../worker/wasm.js";
import { exchange, preflightAhead, readGrant } from "./page-requests.js";
import type { Share, Update } from "./messages.js";
import { type KeysAhead, moduleIn, startKeys } from "./keys-ahead.js";
import type { Measured, MeasuredSearch } from "./progress.js";
import type { WorkerClient } from "./worker-client.js";
import type { WorkerPool } from "./worker-pool.js";

/** The maximum number of engines that may fail in one flow. */
const MOST_ENGINES = 3;

/** The longest time for which Chromium caches the result of a preflight. */
const PREFLIGHT_MS = 7_200_000;
const SOLUTION_HEADER = "X-Inkeep-Challenge-Solution";
const sessionPath = ({ appPath }: SessionOptions) => `/run/auth/apps/${appPath}/anonymous-session`;

type Response = HttpResponse | NoResponse;

/** The parts that a flow has started for a challenge of version 2. */
interface Ahead {
  keys?: KeysAhead | undefined;
}

const statusOf = (response: Response | undefined) =>
  response && "status" in response ? response.status : undefined;
const isNotFound = (response: Response | undefined) => statusOf(response) === 404;

/** The text of a response that has a challenge of version 2. */
const keyChallengeOf = (response: Response | undefined) =>
  response && "text" in response && response.status === 200 && /"parameters"/.test(response.text)
    ? response.text
    : undefined;

/** Returns the error of an engine that did not start; without a connection its files could not be loaded either. */
function startError(options: SessionOptions, error: SaltmineError): SaltmineError {
  const response = options.sessionResponse ?? options.challengeResponse;
  if (error.code !== "engine_unavailable" || !response || "status" in response) return error;
  const { timedOut, cause } = response;
  return new SaltmineError(timedOut ? { code: "timeout" } : { code: "network", detail: cause }, error);
}

export class FlowRunner implements Flow {
  readonly #pool: WorkerPool;
  readonly #options: FlowRunnerOptions;
  /** Whether proof of work was off the last time. */
  #isOff = false;
  /** The time until which the preflight of the session request is not sent ahead again (`performance.now()`). */
  #preflightedUntil = 0;

  constructor(pool: WorkerPool, options: FlowRunnerOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  async run(run: Run): Promise<Outcome> {
    const { token, solution, solveOnly, signal } = run;
    const { challengePaths = [OLDER_PATH], mayBeOff = this.#isOff } = run;
    const options: SessionOptions = { ...this.#options.flow, challengePaths, token, solution, solveOnly };
    const began = performance.now();
    const starting = new AbortController();
    let engine: Promise<WorkerClient> | undefined;
    const start = () => {
      engine ??= this.#pool.take({}, starting.signal);
      // The code that waits for the engine gets the error.
      engine.catch(() => {});
    };
    const abort = () => abortWith(starting, abortReason(signal));
    signal.addEventListener("abort", abort);
    const ahead: Ahead = {};
    try {
      if (solution === undefined || solveOnly) {
        if (!mayBeOff) start();
        if (run.expectedKeyModule && !mayBeOff) this.#keysFor(run.expectedKeyModule, ahead);
        run.onState("challenge", undefined);
        const requested = this.#requestChallenge(options, signal);
        // After the challenge, which is what the visitor waits for.
        if (!mayBeOff && !solveOnly) this.#preflightSession(options, starting.signal);
        await requested;
        const text = keyChallengeOf(options.challengeResponse);
        if (text === undefined) this.#endKeys(ahead);
        else this.#prepareKeySearch(text, ahead);
      }
      this.#isOff = isNotFound(options.challengeResponse);
      if (this.#isOff && solveOnly)
        return { value: { type: "solved" }, backend: undefined, measured: undefined };
      if (this.#isOff || (solution !== undefined && !solveOnly)) {
        run.onState("session", undefined);
        const response = await this.#requestSession(options, signal);
        options.sessionResponse = response;
        const value = readGrant(response, !this.#isOff);
        if (value) return { value, backend: undefined, measured: undefined };
      }
      start();
      const received = performance.now();
      for (let tries = 1; ; tries += 1) {
        const link = await (engine as Promise<WorkerClient>).catch((error) => {
          throw startError(options, error);
        });
        engine = undefined;
        for (const response of [options.challengeResponse, options.sessionResponse])
          if (response && "status" in response) response.ageMs = performance.now() - received;
        options.elapsedMs = performance.now() - began;
        try {
          return await this.#runOn(link, run, options, ahead);
        } catch (error) {
          // An engine that died takes its flow with it: once more, with another.
          if (link.usable || signal.aborted || tries === MOST_ENGINES) throw error;
          options.challengeResponse = options.sessionResponse = undefined;
          start();
        } finally {
          this.#pool.giveBack(link, {});
        }
      }
    } catch (error) {
      // Not before: a worker may have the `fetch` that the page lacks.
      if ((error as { code?: unknown } | null)?.code === "network" && !this.#options.fetch)
        requireGlobals(["fetch"]);
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
      // An engine that was not needed: one that runs already is kept for the next flow.
      engine?.then((link) => this.#pool.giveBack(link, {})).catch(() => {});
      this.#endKeys(ahead);
      starting.abort();
    }
  }

  /** Returns what a module's challenge needs, started already or now. */
  #keysFor(module: ModuleName, ahead: Ahead): KeysAhead {
    if (ahead.keys?.module === module) return ahead.keys;
    const { assets, keyEngine } = this.#options;
    this.#endKeys(ahead);
    return (ahead.keys = startKeys(module, keyEngine, assets));
  }

  /** Ends what no challenge of this flow needs. */
  #endKeys(ahead: Ahead): void {
    ahead.keys?.end();
    ahead.keys = undefined;
  }

  /** Loads and compiles what the challenge needs, while the engine of the flow starts. */
  #prepareKeySearch(challenge: string, ahead: Ahead): void {
    const { assets, keyEngine } = this.#options;
    const { code, wasm } = this.#keysFor(moduleIn(challenge), ahead);
    code
      .then(({ prepareForFlow }) => prepareForFlow(challenge, keyEngine, assets, wasm))
      // The search itself reports what fails.
      .catch(() => {});
  }

  /**
   * Requests the challenge, path by path; leaves the response and the paths from its own on in `options`. Leaves neither
   * when a path that is not the first responds 400: the flow then begins with the session request, whose response names
   * the reason.
   */
  async #requestChallenge(options: SessionOptions, signal: AbortSignal): Promise<void> {
    const paths = options.challengePaths;
    for (const [index, path] of paths.entries()) {
      const response = await this.#send("GET", path, {}, signal);
      const isRefused = statusOf(response) === 400;
      if (isRefused && index > 0) {
        options.challengePaths = [];
        return;
      }
      // A service that has replaced the older route by the newer one may respond 400 there, because the app is missing.
      const isReplaced = isNotFound(response) || (isRefused && path === OLDER_PATH);
      if (!isReplaced || index === paths.length - 1) {
        options.challengeResponse = response;
        options.challengePaths = paths.slice(index);
        return;
      }
    }
  }

  /** Sends the preflight of the session request while the challenge is requested and solved. */
  #preflightSession(options: SessionOptions, signal: AbortSignal): void {
    // A caller's own `fetch` gets only the requests that the documentation names.
    if (performance.now() < this.#preflightedUntil || this.#options.fetch) return;
    const names = [SOLUTION_HEADER, "Authorization"];
    void preflightAhead(options.baseUrl + sessionPath(options), names, signal).then((isSent) => {
      if (isSent) this.#preflightedUntil = performance.now() + PREFLIGHT_MS;
    });
  }

  /** Requests the session without a search: with a solution that is at hand, or where proof of work is off. */
  #requestSession(options: SessionOptions, signal: AbortSignal): Promise<Response> {
    const { token, solution } = options;
    const headers = {
      ...(solution !== undefined && { [SOLUTION_HEADER]: solution }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    };
    return this.#send("POST", sessionPath(options), headers, signal);
  }

  async #send(
    method: HttpRequest["method"],
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> {
    const { flow, origin, timeoutMs, fetch = globalThis.fetch } = this.#options;
    const url = flow.baseUrl + path;
    const request = { method, url, headers: { ...headers, ...(origin !== undefined && { Origin: origin }) } };
    const response = await exchange(fetch, request, timeoutMs, signal);
    if (signal.aborted) throw abortReason(signal);
    return response;
  }

  async #runOn(link: WorkerClient, run: Run, options: SessionOptions, ahead: Ahead): Promise<Outcome> {
    const { signal, onState, onProgress } = run;
    const { flow, origin, timeoutMs, fetch, assets, keyWorkers, keyEngine } = this.#options;
    const most = this.#options.workers;
    const over = new AbortController();
    let { backend } = link;
    let measured: MeasuredSearch | undefined;
    const progress = (now: MeasuredSearch) => {
      measured = now;
      onProgress(now);
    };
    // The page has reported the state when it requested the challenge itself.
    let isTold = options.challengeResponse !== undefined;
    const onUpdate = (update: Update) => {
      if (update.type === "progress") progress(update);
      else if (update.state !== "challenge" || !isTold) onState(update.state, backend);
      isTold = false;
    };
    const onShare = async (share: Share) => {
      const chunk = await loadSearch().catch(() => undefined);
      // Without the file that distributes a search, only this engine continues, if it has the hash function.
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
    // Functions cannot cross to a worker: what they do is asked of the page.
    const onFetch =
      fetch &&
      ((step: HttpRequest, onError: (thrown: unknown) => void) =>
        exchange(fetch, step, timeoutMs, over.signal, onError));
    let keyModule: ModuleName | undefined;
    const onSolveV2 = async (challenge: string, limitMs: number | undefined) => {
      keyModule = moduleIn(challenge);
      const { code, wasm, spawn } = this.#keysFor(keyModule, ahead);
      // A file that could not be loaded ahead is requested once more.
      const { solveForFlow } = await loadChunk(() => code.catch(() => loadKeySearch(assets)));
      try {
        const solved = await solveForFlow(challenge, {
          workers: run.workers?.() ?? keyWorkers,
          engine: keyEngine,
          assets,
          spawn,
          wasm,
          signal: over.signal,
          limitMs,
          onProgress: (searched, elapsedMs) => progress({ searched, total: null, elapsedMs }),
        });
        if (!solved) return null;
        const { keys: tried, backend: searchedBy, ...solution } = solved;
        backend = searchedBy;
        measured = { searched: tried, total: null, elapsedMs: solution.time };
        return solution;
      } catch (error) {
        throw asSaltmineError(error, "engine_failed");
      }
    };
    const request = {
      type: "session",
      options,
      origin,
      timeoutMs,
      share: most > 1,
      fetchOnPage: fetch !== undefined,
    } as const;
    const callbacks = { signal, onUpdate, onShare, onFetch, onSolveV2 };
    try {
      const value = (await link.request(request, callbacks)) as Grant | Solved;
      return { value, backend, measured, keyModule };
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
