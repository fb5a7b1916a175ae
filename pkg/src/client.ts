import { DEFAULT_STORAGE, loadSearch } from "#spawn";
import { abortError, untilAborted } from "./abort.js";
import { describe } from "./describe.js";
import { asSaltmineError, SaltmineError } from "./errors.js";
import type { Link } from "./link.js";
import { tell } from "./listener.js";
import type { Backend, FlowOptions, Share, Update } from "./messages.js";
import {
  invalid,
  listenerOption,
  maxNumberOption,
  optionsObject,
  signalOption,
  wholeNumber,
  workersOption,
} from "./options.js";
import { Pool } from "./pool.js";
import { type Measured, type Progress, progressOf } from "./progress.js";
import { isFresh, readSession, type Session, SessionStore, type StorageKind } from "./session.js";
import type { Grant } from "./work.js";

/** What a client tells while it works. */
export type ClientEvent =
  /** It enters a state; `backend` is known from `challenge` on. */
  | {
      type: "state";
      state: "starting" | "challenge" | "solving" | "waiting" | "session" | "ready" | "failed";
      backend?: Backend;
    }
  /** The search goes on. */
  | ({ type: "progress" } & Progress)
  /** There is a session, and this is what it took. */
  | {
      type: "ready";
      session: Session;
      /** `storage`: kept from an earlier visit, nothing was asked for. */
      source: "network" | "storage";
      /** Whether the server asked for a proof of work; a session from storage does not tell. */
      proofOfWork?: boolean;
      /** From the call to the session. */
      tookMs: number;
      /** The search alone. */
      solveMs?: number;
      /** Candidates tried. */
      hashes?: number;
      backend?: Backend;
    }
  /** Something works less well than it could; the client goes on. */
  | { type: "warning"; code: "storage_blocked" | "page_thread"; message: string };

/** What {@link createClient} takes. */
export interface ClientOptions {
  /** The service's address, such as `https://api.example.com`. */
  baseUrl: string;
  /** The id of the app that the widget belongs to. */
  appId: string;
  /** The `Origin` to send, for runtimes that send none by themselves (Node). Browsers ignore it. */
  origin?: string;
  /** The largest `maxnumber` that is searched; default 10 million. A challenge's own value is not signed. */
  maxNumber?: number;
  /** Time limit of each request to the server, in milliseconds; default 15000. */
  timeoutMs?: number;
  /** The most workers that search at the same time; default one less than the machine has threads, at most 8. */
  workers?: number;
  /** Where the session outlives the page; default `local` in browsers, `memory` in Node. */
  storage?: StorageKind;
  /** Told what happens. What it throws is reported as an uncaught error, never to the client. */
  onEvent?: (event: ClientEvent) => void;
}

/** One app's session. */
export interface Client {
  /**
   * The session: kept while it is valid, requested when it is not. Calls at the same time share one request.
   * @throws SaltmineError
   */
  session(options?: { signal?: AbortSignal }): Promise<Session>;
  /** The two headers that every later call of the run API carries. */
  headers(options?: { signal?: AbortSignal }): Promise<{ Authorization: string; "X-Inkeep-App-Id": string }>;
  /** Forgets the session and the visitor's identity. */
  signOut(): void;
  /** Ends the worker and everything under way; the session stays stored. */
  dispose(): void;
}

/**
 * A client for one app. Nothing is started before the first call of `session()` or `headers()`.
 *
 * @throws SaltmineError `invalid_options`
 * @example
 * ```ts
 * import { createClient } from "saltmine";
 *
 * const client = createClient({ baseUrl: "http://127.0.0.1:8787", appId: "app_demo000000000000", origin: "http://127.0.0.1" });
 * const { token, expiresAt, userId } = await client.session();
 * client.dispose();
 * ```
 */
export function createClient(options: ClientOptions): Client {
  return new SessionClient(options);
}

/** Engines that one session may use up. */
const MOST_ENGINES = 3;

/** One request that several callers may wait for. */
interface Flight {
  promise: Promise<Session>;
  waiting: number;
  controller: AbortController;
}

class SessionClient implements Client {
  readonly #options: Omit<FlowOptions, "token" | "solution">;
  readonly #appId: string;
  readonly #timeoutMs: number;
  readonly #workers: number;
  readonly #pool = new Pool();
  readonly #store: SessionStore;
  readonly #onEvent: ((event: ClientEvent) => void) | undefined;
  #session: Session | undefined;
  #flight: Flight | undefined;
  #disposed = false;
  #warned = new Set<string>();

  constructor(options: ClientOptions) {
    if (typeof options !== "object" || options === null)
      invalid("options", "Pass an object with baseUrl and appId.");
    const { baseUrl, appId, origin, storage = DEFAULT_STORAGE, onEvent } = options;
    if (typeof appId !== "string" || appId === "") invalid("appId", "It must be the app's id, as in app_…");
    if (!["local", "session", "memory"].includes(storage))
      invalid("storage", 'It must be "local", "session" or "memory".');
    this.#options = {
      baseUrl: checkedBase(baseUrl),
      appPath: encodeURIComponent(appId),
      origin: origin === undefined ? undefined : checkedUrl("origin", origin).origin,
      maxNumber: maxNumberOption(options.maxNumber),
    };
    this.#appId = appId;
    this.#timeoutMs = wholeNumber("timeoutMs", options.timeoutMs, 15_000, 1, 2 ** 31 - 1);
    this.#workers = workersOption(options.workers);
    this.#onEvent = listenerOption("onEvent", onEvent);
    this.#store = new SessionStore(storage, appId, (reason) =>
      this.#warn("storage_blocked", `The session is not kept over a reload: ${describe(reason)}`),
    );
  }

  async session(options?: { signal?: AbortSignal }): Promise<Session> {
    const signal = signalOption(optionsObject(options).signal);
    if (this.#disposed) throw new SaltmineError({ code: "disposed" });
    if (signal?.aborted) throw abortError(signal);
    const began = performance.now();
    if (!this.#session) {
      this.#session = this.#store.load();
      if (this.#session && isFresh(this.#session, Date.now())) {
        this.#emit({ type: "state", state: "ready" });
        this.#emit({
          type: "ready",
          session: this.#session,
          source: "storage",
          tookMs: performance.now() - began,
        });
      }
    }
    if (this.#session && isFresh(this.#session, Date.now())) return this.#session;
    this.#flight ??= this.#takeOff(began);
    return join(this.#flight, signal);
  }

  async headers(options?: {
    signal?: AbortSignal;
  }): Promise<{ Authorization: string; "X-Inkeep-App-Id": string }> {
    const { token, appId } = await this.session(options);
    return { Authorization: `Bearer ${token}`, "X-Inkeep-App-Id": appId };
  }

  signOut(): void {
    this.#flight?.controller.abort();
    this.#session = undefined;
    this.#store.clear();
  }

  dispose(): void {
    this.#disposed = true;
    this.#flight?.controller.abort(new SaltmineError({ code: "disposed" }));
    this.#pool.close();
  }

  #takeOff(began: number): Flight {
    const controller = new AbortController();
    const { signal } = controller;
    const promise = this.#fetchSession(began, signal).catch((thrown) => {
      // A flight that was given up says nothing of the one that has taken its place.
      if (!this.#flight || this.#flight === flight) this.#emit({ type: "state", state: "failed" });
      throw asSaltmineError(thrown, "engine_failed");
    });
    const flight = { promise, waiting: 0, controller };
    const land = () => {
      if (this.#flight === flight) this.#flight = undefined;
    };
    promise.then(land, land);
    // A flight that is given up before it lands must not leave another one waiting for it.
    signal.addEventListener("abort", land, { once: true });
    return flight;
  }

  async #fetchSession(began: number, signal: AbortSignal): Promise<Session> {
    // The listener may dispose or sign out at once: it must find the flight in its place.
    await undefined;
    this.#emit({ type: "state", state: "starting" });
    for (let tries = 1; ; tries += 1) {
      const link = await this.#pool.take({}, signal);
      try {
        return await this.#requestSession(link, began, signal);
      } catch (error) {
        // An engine that died takes its flow with it: once more, with another.
        if (link.usable || signal.aborted || tries === MOST_ENGINES) throw error;
      } finally {
        this.#pool.giveBack(link, {});
      }
    }
  }

  async #requestSession(link: Link, began: number, signal: AbortSignal): Promise<Session> {
    const { backend } = link;
    if (backend.thread === "page")
      this.#warn("page_thread", `The work is done on the page's own thread: ${backend.reason}`);
    const over = new AbortController();
    let measured: Measured | undefined;
    let searchedOn = backend;
    const onProgress = (progress: Measured) => {
      measured = progress;
      this.#emit({ type: "progress", ...progressOf(progress) });
    };
    const onUpdate = (update: Update) => {
      if (update.type === "state") this.#emit({ type: "state", state: update.state, backend });
      else onProgress(update);
    };
    const onShare = async (share: Share) => {
      const { Search } = await loadSearch();
      const { maxNumber } = this.#options;
      const search = new Search({
        pool: this.#pool,
        maxNumber,
        workers: this.#workers,
        signal: over.signal,
        onProgress,
      });
      const number = await search.share(share, link, {});
      searchedOn = search.backend ?? backend;
      return number;
    };
    const request = {
      type: "session",
      options: { ...this.#options, token: this.#session?.token, solution: undefined },
      solveOnly: false,
      timeoutMs: this.#timeoutMs,
      share: this.#workers > 1,
    } as const;
    const grant = (await link
      .request(request, { signal, onUpdate, onShare })
      .finally(() => over.abort())) as Grant;
    const session = readSession(grant, this.#appId);
    if (!session) {
      throw new SaltmineError({
        code: "response_malformed",
        detail: "The token is not a JWT of this app with a subject.",
      });
    }
    if (signal.aborted) throw abortError(signal);
    this.#session = session;
    this.#store.save(session);
    this.#emit({ type: "state", state: "ready", backend });
    this.#emit({
      type: "ready",
      session,
      source: "network",
      proofOfWork: grant.proofOfWork === 1,
      tookMs: performance.now() - began,
      ...(measured && { solveMs: measured.elapsedMs, hashes: measured.searched }),
      backend: searchedOn,
    });
    return session;
  }

  #warn(code: Extract<ClientEvent, { type: "warning" }>["code"], message: string): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    this.#emit({ type: "warning", code, message });
  }

  #emit(event: ClientEvent): void {
    tell(this.#onEvent, event);
  }
}

/** Waits for a flight; when its last caller has given up, the flight is given up too. */
function join(flight: Flight, signal: AbortSignal | undefined): Promise<Session> {
  flight.waiting += 1;
  return untilAborted(flight.promise, signal, () => {
    flight.waiting -= 1;
    if (flight.waiting === 0) flight.controller.abort();
  });
}

function checkedUrl(field: string, value: unknown): URL {
  let url: URL | undefined;
  try {
    url = new URL(value as string);
  } catch {
    // Told below.
  }
  if (typeof value !== "string" || !url || !/^https?:$/.test(url.protocol)) {
    invalid(field, "It must be an absolute http or https URL.");
  }
  return url;
}

/** Paths are put after it. */
function checkedBase(value: unknown): string {
  const { href, username, password, search, hash } = checkedUrl("baseUrl", value);
  if (username || password || search || hash) {
    invalid("baseUrl", "It must be without user, query and fragment.");
  }
  return href.replace(/\/+$/, "");
}
