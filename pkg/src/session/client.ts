import { loadRequests } from "#chunks";
import type { CallerRequests, RequestContext } from "../api/caller-requests.js";
import { abortReason, abortWith, untilAborted } from "../common/abort.js";
import { describe } from "../common/describe.js";
import { SaltmineError } from "../common/errors.js";
import { requireGlobals } from "../common/globals.js";
import { tell } from "../common/listener.js";
import { loadChunk } from "../common/assets.js";
import { invalid, optionsObject, signalOption } from "../common/options.js";
import type { AbortSignalType, DisposeMember, FetchType } from "../common/platform.js";
import { FlowRunner } from "../solver/flow-runner.js";
import { WorkerPool } from "../solver/worker-pool.js";
import { anonymousSession } from "./anonymous-session.js";
import { ChallengeRoute } from "./challenge-route.js";
import { checkOptions } from "./check-options.js";
import type { ClientOptions } from "./client-options.js";
import { isFrugal } from "./environment.js";
import type { ClientEvent } from "./events.js";
import { RoutedFlow } from "./routed-flow.js";
import { SessionManager } from "./session-manager.js";
import type { RequestSession } from "./session-request.js";
import { type ClientState, StateHolder } from "./state.js";
import { SessionStore, SignOutStore } from "./store.js";
import type { Session } from "./token.js";

/** The options of a call. */
export interface CallOptions {
  /** Aborts this call; other calls that wait for the same session continue. */
  signal?: AbortSignalType | undefined;
}

/** A client for one app. A `using` declaration disposes it at the end of its block. */
export interface Client extends DisposeMember {
  /**
   * Returns the session while it is valid, else requests a new one. Concurrent calls share one request.
   * @throws SaltmineError
   */
  session(options?: CallOptions): Promise<Session>;
  /**
   * Returns the headers for a call of the run API: `Authorization`, `X-Inkeep-App-Id`, and with
   * `challenge: "every-request"` a fresh `X-Inkeep-Challenge-Solution`.
   * @throws SaltmineError
   */
  headers(options?: CallOptions): Promise<Record<string, string>>;
  /**
   * Returns a fresh `X-Inkeep-Challenge-Solution` for one request, or an empty object where proof of work is off. The
   * next one is prepared in the background.
   * @throws SaltmineError
   */
  challengeHeaders(options?: CallOptions): Promise<Record<string, string>>;
  /**
   * Calls `fetch` with those headers. Relative URLs are relative to `baseUrl`; others must be at its origin. A 401
   * renews the session once, and a refused solution is replaced once; the request is then sent again if its body allows
   * it. Every other response is returned unchanged.
   * @throws SaltmineError if there is no session; otherwise the error of `fetch`
   */
  fetch(input: Parameters<FetchType>[0], init?: Parameters<FetchType>[1]): ReturnType<FetchType>;
  /** Starts the work for the next call. Does nothing in a hidden tab, or where the visitor saves data. */
  prefetch(): void;
  /** Requests a new session for the same visitor. Returns the old one if that fails and the old one is still valid. */
  refresh(options?: CallOptions): Promise<Session>;
  /** Forgets the session and the visitor's identity; with the storage `local` in every tab of the site. */
  signOut(): void;
  /** Ends the workers, timers, listeners and pending requests; the session stays stored. */
  dispose(): void;
  /** The current state of the client: the same object until something changes. */
  readonly state: ClientState;
  /**
   * Calls a listener after each change of `state`; returns a function that removes it. Fits React's
   * `useSyncExternalStore`.
   */
  subscribe(listener: () => void): () => void;
}

/**
 * Creates a client for one app. Nothing is started before the first call.
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
  /** The code of the caller's requests, while it is loading: one promise for all calls. */
  #loading: ReturnType<typeof loadRequests> | undefined;
  /** Aborted by `dispose`, which ends the wait for that code. */
  #over: AbortController | undefined;

  constructor(options: ClientOptions) {
    const checked = checkOptions(options);
    const { appId, getAuthToken, onEvent } = checked;

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
    const store = new SessionStore(checked.storage, appId, (reason) => {
      // A signed-in session is not kept anyway.
      if (!getAuthToken)
        warn("storage_blocked", `The session is not kept over a reload: ${describe(reason)}`);
    });
    this.#pool = new WorkerPool(checked.runner.assets);
    const { baseUrl, appPath } = checked.runner.flow;
    const route = new ChallengeRoute(baseUrl, appPath, checked, store);
    const flow = new RoutedFlow(new FlowRunner(this.#pool, checked.runner), route);
    const spare = () => this.#requests?.solutions.spare();
    const events = { emit, warn };
    if (getAuthToken) {
      const { timeoutMs } = checked.runner;
      const options = { getAuthToken, appId, timeoutMs, onSignedIn: () => store.clear() };
      let getSession: RequestSession | undefined;
      const request: RequestSession = async (about) => {
        getSession ??= (await untilAborted(loadChunk(loadRequests), about.signal)).signedInSession(options);
        return getSession(about);
      };
      // The token is the user's, and the callback's to keep.
      this.#sessions = new SessionManager(request, new SignOutStore(store, appId), events);
    } else this.#sessions = new SessionManager(anonymousSession(flow, spare, appId), store, events);
    this.#context = {
      options: checked.runner,
      everyRequest: checked.everyRequest && !getAuthToken,
      isSignedIn: getAuthToken !== undefined,
      flow,
      sessions: this.#sessions,
      check: (signal) => this.#begin({ signal }),
      headers: (signal) => this.#headers(signal),
      invalid,
      requireGlobals,
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
    // As `fetch` does, the signal of `init` takes the place of that of a Request.
    const signal = this.#begin({ signal: init?.signal ?? (Object(input) as Request).signal });
    return (await this.#callersRequests(signal)).fetch(input, init);
  }

  get state(): ClientState {
    return this.#state.current;
  }

  subscribe(listener: () => void): () => void {
    return this.#state.subscribe(listener);
  }

  prefetch(): void {
    if (this.#disposed || isFrugal()) return;
    // The next call reports a failure.
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
    const reason = new SaltmineError({ code: "disposed" });
    if (this.#over) abortWith(this.#over, reason);
    this.#requests?.close(reason);
    this.#pool.close();
  }

  /** Checks what every call checks. */
  #begin(options: CallOptions | undefined): AbortSignal | undefined {
    requireGlobals();
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
    // The server requires no proof of work of signed-in users.
    if (this.#context.isSignedIn) return {};
    return (await this.#callersRequests(signal)).challengeHeaders(signal);
  }

  async #callersRequests(signal?: AbortSignal): Promise<CallerRequests> {
    this.#over ??= new AbortController();
    this.#loading ??= untilAborted(loadChunk(loadRequests), this.#over.signal).finally(() => {
      this.#loading = undefined;
    });
    const { CallerRequests } = await untilAborted(this.#loading, signal);
    this.#begin({});
    this.#requests ??= new CallerRequests(this.#context);
    return this.#requests;
  }
}
