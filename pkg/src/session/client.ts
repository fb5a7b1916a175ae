import { DEFAULT_STORAGE, loadRequests } from "#runtime";
import { abortReason, untilAborted } from "../common/abort.js";
import { type AssetsUrl, assetsOption } from "../common/assets.js";
import { describe } from "../common/describe.js";
import { loadChunk } from "../common/load-chunk.js";
import type { DisposeMember } from "../common/platform.js";
import { SaltmineError } from "../common/errors.js";
import type { ClientEvent } from "./events.js";
import { SessionManager } from "./session-manager.js";
import { tell } from "../common/listener.js";
import { invalid, shown } from "../common/invalid.js";
import {
  listenerOption,
  maxNumberOption,
  optionsObject,
  signalOption,
  wholeNumber,
  workersOption,
} from "../common/options.js";
import { WorkerPool } from "../solver/worker-pool.js";
import type { RequestContext, CallerRequests } from "../api/caller-requests.js";
import { FlowRunner, type FlowRunnerOptions } from "../solver/flow-runner.js";
import { SessionStore, type StorageKind } from "./store.js";
import { type ClientState, StateHolder } from "./state.js";
import type { Session } from "./token.js";
import { isFrugal } from "./environment.js";

/** What {@link createClient} takes. */
export interface ClientOptions {
  /** The service's address, such as `https://api.example.com`. */
  baseUrl: string;
  /** The id of the app that the widget belongs to. */
  appId: string;
  /**
   * Where a solution is attached: to the request for a session (default), or to every call of the run API as well, for
   * servers that ask for it (`headers()` and `fetch()` then bring one).
   */
  challenge?: "session" | "every-request";
  /**
   * Where the session outlives the page: `local`, `session`, `memory`, or a `Storage` of one's own; default `local` in
   * browsers, `memory` in Node. A store that the browser refuses is `memory`, and a warning.
   */
  storage?: StorageKind | Storage;
  /** The most workers that search at the same time; default one less than the machine has threads, at most 8. */
  workers?: number;
  /** The largest `maxnumber` that is searched; default 10 million. A challenge's own value is not signed. */
  maxNumber?: number;
  /** Time limit of each request to the server, in milliseconds; default 15000. */
  timeoutMs?: number;
  /**
   * Where the package's files are, when they are not beside the page's script: the folder with a copy of the package's
   * `dist/` of the same version, or the address of each file.
   */
  assetsUrl?: AssetsUrl | undefined;
  /** The `Origin` to send, for runtimes that send none by themselves (Node). Browsers ignore it. */
  origin?: string;
  /** Sends the requests in the place of the global `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** Told what happens. What it throws is reported as an uncaught error, never to the client. */
  onEvent?: (event: ClientEvent) => void;
}

/** What a call takes. */
export interface CallOptions {
  /** Gives up this call; others that wait for the same session still get it. */
  signal?: AbortSignal;
}

/** One app's session. A `using` declaration disposes it at the end of its block. */
export interface Client extends DisposeMember {
  /**
   * The session: kept while it is valid, requested when it is not. Calls at the same time share one request.
   * @throws SaltmineError
   */
  session(options?: CallOptions): Promise<Session>;
  /**
   * The headers that every later call of the run API carries: `Authorization`, `X-Inkeep-App-Id`, and with
   * `challenge: "every-request"` a fresh `X-Inkeep-Challenge-Solution`.
   * @throws SaltmineError
   */
  headers(options?: CallOptions): Promise<Record<string, string>>;
  /**
   * A fresh `X-Inkeep-Challenge-Solution`, for one request; an empty object where proof of work is off. The next one
   * is prepared in the background.
   * @throws SaltmineError
   */
  challengeHeaders(options?: CallOptions): Promise<Record<string, string>>;
  /**
   * The global `fetch`, with those headers; relative URLs are relative to `baseUrl`, and others must be at its origin.
   * A 401 renews the session once, a refused solution is replaced once, and the request is sent again if its body
   * allows it; every other answer is the caller's.
   * @throws SaltmineError where there is no session; what `fetch` throws otherwise
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Begins what the next call needs; nothing in a hidden tab, or where the visitor saves data. */
  prefetch(): void;
  /** A new session for the same visitor, now; the old one if that fails and the old one still holds. */
  refresh(options?: CallOptions): Promise<Session>;
  /** Forgets the session and the visitor's identity, in every tab. */
  signOut(): void;
  /** Ends the workers, timers, listeners and pending requests; the session stays stored. */
  dispose(): void;
  /** What the client does now: the same object until something changes. */
  readonly state: ClientState;
  /** Calls a listener after each change of `state`; returns a function that ends this. Fits React's `useSyncExternalStore`. */
  subscribe(listener: () => void): () => void;
}

/**
 * A client for one app. Nothing is started before the first call.
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
  const client = new SessionClient(options);
  // Runtimes before 2024 have no `Symbol.dispose`; what compilers make of `using` then looks for this one. Not a member of
  // the class: a computed name would keep bundlers from leaving the class out where it is not used.
  const key: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
  return Object.assign(client, { [key]: () => client.dispose() });
}

class SessionClient implements Omit<Client, keyof DisposeMember> {
  readonly #pool: WorkerPool;
  readonly #sessions: SessionManager;
  readonly #context: RequestContext;
  #requests: CallerRequests | undefined;
  readonly #state = new StateHolder();
  #disposed = false;

  constructor(options: ClientOptions) {
    if (typeof options !== "object" || options === null)
      invalid("options", `must be an object with baseUrl and appId, not ${shown(options)}.`);
    const { baseUrl, appId, origin, challenge = "session", storage = DEFAULT_STORAGE } = options;
    // A lone surrogate has no encoding in a URL.
    if (typeof appId !== "string" || appId === "" || /[\ud800-\udfff]/u.test(appId))
      invalid("appId", `must be the id of an app (app_…), not ${shown(appId)}.`);
    if (challenge !== "session" && challenge !== "every-request")
      invalid("challenge", `must be "session" or "every-request", not ${shown(challenge)}.`);
    const ownStore = typeof storage === "object" && typeof storage?.getItem === "function";
    if (!ownStore && !["local", "session", "memory"].includes(storage as string))
      invalid(
        "storage",
        `must be "local", "session", "memory" or an object with getItem, setItem and removeItem, not ${shown(storage)}.`,
      );
    const flow = {
      baseUrl: checkedBase(baseUrl),
      appPath: encodeURIComponent(appId),
      maxNumber: maxNumberOption(options.maxNumber),
    };
    const common: FlowRunnerOptions = {
      flow,
      origin: origin === undefined ? undefined : checkedUrl("origin", origin).origin,
      timeoutMs: wholeNumber("timeoutMs", options.timeoutMs, 15_000, 1, 2 ** 31 - 1),
      workers: workersOption(options.workers),
      fetch: listenerOption("fetch", options.fetch),
    };
    const onEvent = listenerOption("onEvent", options.onEvent);

    const emit = (event: ClientEvent) => {
      if (this.#disposed) return;
      this.#state.apply(event);
      tell(onEvent, event);
    };
    const warned = new Set<string>();
    const warn = (code: Extract<ClientEvent, { type: "warning" }>["code"], message: string) => {
      if (warned.has(code)) return;
      warned.add(code);
      emit({ type: "warning", code, message });
    };
    const store = new SessionStore(storage, appId, (reason) =>
      warn("storage_blocked", `The session is not kept over a reload: ${describe(reason)}`),
    );
    this.#pool = new WorkerPool(assetsOption(options.assetsUrl));
    const runner = new FlowRunner(this.#pool, common);
    const spare = () => this.#requests?.solutions.spare();
    this.#sessions = new SessionManager(runner, spare, store, appId, { emit, warn });
    this.#context = {
      options: common,
      everyRequest: challenge === "every-request",
      runner,
      sessions: this.#sessions,
      check: () => this.#begin({}),
      headers: (signal) => this.#headers(signal),
      invalid,
      untilAborted,
    };
  }

  async session(options?: CallOptions): Promise<Session> {
    return this.#sessions.get(this.#begin(options));
  }

  async headers(options?: CallOptions): Promise<Record<string, string>> {
    return this.#headers(this.#begin(options));
  }

  async challengeHeaders(options?: CallOptions): Promise<Record<string, string>> {
    return this.#solution(this.#begin(options));
  }

  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    this.#begin({});
    return (await this.#callersRequests()).fetch(input, init);
  }

  get state(): ClientState {
    return this.#state.current;
  }

  subscribe(listener: () => void): () => void {
    return this.#state.subscribe(listener);
  }

  prefetch(): void {
    if (this.#disposed || isFrugal()) return;
    // What fails here is told at the next call.
    this.#sessions
      .get(undefined)
      .then(async () => this.#context.everyRequest && (await this.#callersRequests()).solutions.prepare())
      .catch(() => {});
  }

  async refresh(options?: CallOptions): Promise<Session> {
    return this.#sessions.renew(this.#begin(options));
  }

  signOut(): void {
    this.#sessions.forget();
  }

  dispose(): void {
    this.#disposed = true;
    this.#sessions.close();
    this.#requests?.close(new SaltmineError({ code: "disposed" }));
    this.#pool.close();
  }

  /** Checks what every call checks. */
  #begin(options: CallOptions | undefined): AbortSignal | undefined {
    const signal = signalOption(optionsObject(options).signal);
    if (this.#disposed) throw new SaltmineError({ code: "disposed" });
    if (signal?.aborted) throw abortReason(signal);
    return signal;
  }

  async #headers(signal: AbortSignal | undefined): Promise<Record<string, string>> {
    const { token, appId } = await this.#sessions.get(signal);
    const solution = this.#context.everyRequest ? await this.#solution(signal) : {};
    return { Authorization: `Bearer ${token}`, "X-Inkeep-App-Id": appId, ...solution };
  }

  async #solution(signal: AbortSignal | undefined): Promise<Record<string, string>> {
    return (await this.#callersRequests()).challengeHeaders(signal);
  }

  async #callersRequests(): Promise<CallerRequests> {
    const { CallerRequests } = await loadChunk(loadRequests);
    this.#begin({});
    this.#requests ??= new CallerRequests(this.#context);
    return this.#requests;
  }
}

function checkedUrl(field: string, value: unknown): URL {
  let url: URL | undefined;
  try {
    url = new URL(value as string);
  } catch {
    // Told below.
  }
  if (typeof value !== "string" || !url || !/^https?:$/.test(url.protocol)) {
    invalid(field, `must be an absolute http(s) URL, not ${shown(value)}.`);
  }
  return url;
}

/** Paths are put after it. */
function checkedBase(value: unknown): string {
  const { href, username, password, search, hash } = checkedUrl("baseUrl", value);
  if (username || password || search || hash) {
    invalid("baseUrl", `must have no user, query or fragment, as ${shown(value)} has.`);
  }
  return href.replace(/\/+$/, "");
}
