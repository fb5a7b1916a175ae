/** Manages one app's session: requests it once for any number of callers, shares it between tabs, renews it in time. */
import { abortReason, abortWith, untilAborted } from "../common/abort.js";
import { asSaltmineError, SaltmineError } from "../common/errors.js";
import type { Backend } from "../solver/messages.js";
import { progressOf } from "../solver/progress.js";
import { isHidden, later } from "./environment.js";
import type { ClientEvent } from "./events.js";
import { ServerClock } from "./server-clock.js";
import type { RequestSession } from "./session-request.js";
import type { SharedStore } from "./store.js";
import { listenToTabs, withTabLock } from "./tabs.js";
import { issuedAtMs, type Session } from "./token.js";

/** A session with less than this left is renewed before it is used, in milliseconds. */
const RENEW_MS = 30_000;
/** The same for a stored session while the server's clock is unknown: visitors' clocks are wrong by an hour. */
const UNKNOWN_CLOCK_MS = 3_900_000;
/** The minimum time between a renewal that brings no new token and the next attempt, in milliseconds. */
const PAUSE_MS = 10_000;
/** The number of failures with this pause: as many as fit into the last 30 s of a session. It doubles after each further one. */
const SHORT_PAUSES = 3;
/** The longest pause, unless the server asks for a longer one. */
const MAX_PAUSE_MS = 600_000;

/** Receives events and warnings. */
export interface EventSink {
  emit(event: ClientEvent): void;
  warn(code: Extract<ClientEvent, { type: "warning" }>["code"], message: string): void;
}

/** One request that several callers may wait for. */
interface PendingSession {
  promise: Promise<Session>;
  waiting: number;
  /** Emits nothing but the new session: nobody waits for it. */
  quiet: boolean;
  /** Whether the server has refused the current token. */
  isRefused: boolean;
  controller: AbortController;
}

export class SessionManager {
  readonly #requestSession: RequestSession;
  readonly #store: SharedStore;
  readonly #events: EventSink;
  readonly #clock = new ServerClock();
  #session: Session | undefined;
  #pending: PendingSession | undefined;
  /** The last request, which may have settled and still hold the tab lock. */
  #latest: PendingSession | undefined;
  /** By `performance.now()`, which nobody sets. */
  #pausedUntil = 0;
  /** The number of requests that have failed in succession. */
  #failures = 0;
  /** The token that was renewed in the background, or that failed to be: one attempt for each. */
  #attempted: string | undefined;
  /** The token that was last reported by an event. */
  #announced: string | undefined;
  /** How often callers have asked for the session, and how often they had when it was last renewed without them. */
  #uses = 0;
  #usesWhenRenewed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Removes the listeners. */
  #listening: AbortController | undefined;

  constructor(requestSession: RequestSession, store: SharedStore, events: EventSink) {
    this.#requestSession = requestSession;
    this.#store = store;
    this.#events = events;
  }

  /** The current token, valid or not. */
  get token(): string | undefined {
    return this.#session?.token;
  }

  get isRenewing(): boolean {
    return this.#pending !== undefined;
  }

  /** Returns the session while it is valid, else requests a new one for the same visitor. */
  async get(signal: AbortSignal | undefined): Promise<Session> {
    this.#uses += 1;
    const session = this.#load();
    if (session && this.#isFresh(session)) {
      this.#renewInBackground(session);
      return session;
    }
    // A valid session is better than none, and a server that fails is not asked with every call.
    if (session && this.#isPaused && this.#remainingMs(session) > 0) return session;
    return this.renew(signal);
  }

  /**
   * Requests a new session for the same visitor. If that fails, returns the session that is there, if it is still valid.
   * `isRefused`: the server has refused the current token.
   */
  renew(signal: AbortSignal | undefined, isRefused = false): Promise<Session> {
    this.#uses += 1;
    return this.#renew(signal, isRefused);
  }

  async #renew(signal: AbortSignal | undefined, isRefused = false): Promise<Session> {
    const old = this.#load();
    this.#pending ??= this.#startRequest(false, isRefused);
    const pending = this.#pending;
    pending.quiet = false;
    try {
      return await this.#join(pending, signal);
    } catch (error) {
      const gaveUp = pending.controller.signal.aborted || signal?.aborted === true;
      const session = this.#session;
      if (gaveUp || !session || this.#remainingMs(session) <= 0) throw error;
      // Another tab has stored it meanwhile.
      if (session !== old) return session;
      this.#events.warn(
        "refresh_failed",
        `The session could not be renewed and is used until it expires: ${(error as Error).message}`,
      );
      this.#schedule();
      return session;
    }
  }

  /** Forgets the session, and aborts the request for another one. */
  forget(): void {
    if (this.#pending) abortWith(this.#pending.controller, new SaltmineError({ code: "aborted" }));
    this.#store.clear();
    this.#drop();
  }

  close(): void {
    if (this.#latest) abortWith(this.#latest.controller, new SaltmineError({ code: "disposed" }));
    clearTimeout(this.#timer);
    this.#listening?.abort();
    this.#listening = undefined;
  }

  #drop(): void {
    this.#session = undefined;
    clearTimeout(this.#timer);
    this.#events.emit({ type: "state", state: "signed_out" });
  }

  /** Returns the current session, or the one that an earlier visit or another tab has stored. */
  #load(): Session | undefined {
    if (!this.#session) {
      const began = performance.now();
      const stored = this.#store.load();
      if (stored) this.#adopt(stored, began);
    }
    return this.#session;
  }

  #isFresh(session: Session): boolean {
    return this.#remainingMs(session) > this.#marginMs(session);
  }

  #remainingMs({ expiresAt }: Session): number {
    return Date.parse(expiresAt) - this.#clock.nowMs();
  }

  /** How much of a session must be left to use it. */
  #marginMs(session: Session): number {
    if (this.#clock.isKnown) return RENEW_MS;
    const lifetimeMs = lifetimeOf(session);
    // More is left than the whole lifetime: the visitor's clock is behind by an unknown time.
    if (this.#remainingMs(session) > lifetimeMs + RENEW_MS) return Number.POSITIVE_INFINITY;
    return Math.max(RENEW_MS, Math.min(UNKNOWN_CLOCK_MS, lifetimeMs / 2 || 0));
  }

  /** Takes over a session of another visit or tab. */
  #adopt(session: Session, began: number): void {
    this.#session = session;
    this.#listen();
    if (!this.#isFresh(session)) return;
    this.#failures = this.#pausedUntil = 0;
    this.#announce(session, began);
    this.#schedule();
  }

  /**
   * Renews a session past half of its lifetime, once for each token: an expired token is a new identity, so that a
   * visitor who comes back must not wait until the end. A failure is silent; the next visit tries again.
   */
  #renewInBackground(session: Session): void {
    const isYoung = !(this.#remainingMs(session) < lifetimeOf(session) / 2);
    // A user's next token is the same user's, however late it is.
    if (session.kind === "signed_in" || isYoung || this.#attempted === session.token || this.#pending) return;
    this.#attempted = session.token;
    this.#pending = this.#startRequest(true);
    // Nobody's abort ends it.
    this.#pending.waiting = 1;
    this.#noteRenewal(this.#pending.promise);
  }

  #startRequest(quiet: boolean, isRefused = false): PendingSession {
    // This tab needs no time to see what it has stored itself.
    this.#latest?.controller.abort();
    const controller = new AbortController();
    const { signal } = controller;
    const pending: PendingSession = {
      promise: undefined as never,
      waiting: 0,
      quiet,
      isRefused,
      controller,
    };
    pending.promise = this.#request(pending).catch((thrown) => {
      const error = asSaltmineError(thrown, signal.aborted ? "aborted" : "engine_failed");
      // A request that was replaced reports nothing about the one that took its place.
      if (!pending.quiet && (!this.#pending || this.#pending === pending)) this.#emitFailure(error);
      if (signal.aborted) throw abortReason(signal);
      this.#pause(error);
      throw error;
    });
    this.#latest = pending;
    const settle = () => {
      if (this.#pending === pending) this.#pending = undefined;
    };
    pending.promise.then(settle, settle);
    // A request that is aborted before it settles must not make another one wait for it.
    signal.addEventListener("abort", settle, { once: true });
    return pending;
  }

  get #isPaused(): boolean {
    return performance.now() < this.#pausedUntil;
  }

  /** Sets the earliest time of the next automatic attempt. */
  #pause({ retryAfterMs = 0 }: SaltmineError): void {
    this.#failures += 1;
    const backoffMs = PAUSE_MS * 2 ** Math.max(0, this.#failures - SHORT_PAUSES);
    this.#pausedUntil = performance.now() + Math.max(Math.min(backoffMs, MAX_PAUSE_MS), retryAfterMs);
  }

  /** Emits a failure, unless the session that is there can still be used. */
  #emitFailure(error: SaltmineError): void {
    const session = this.#session;
    if (session && this.#remainingMs(session) > 0) this.#announce(session, performance.now());
    else this.#events.emit({ type: "state", state: "failed", error });
  }

  /** Emits that a stored session is there, once for each token; `began` by `performance.now()`. */
  #announce(session: Session, began: number): void {
    this.#events.emit({ type: "state", state: "ready" });
    if (this.#announced === session.token) return;
    this.#announced = session.token;
    this.#events.emit({ type: "ready", session, source: "storage", tookMs: performance.now() - began });
  }

  /** Waits for a request; when its last caller has given up, the request is aborted too. */
  #join(pending: PendingSession, signal: AbortSignal | undefined): Promise<Session> {
    pending.waiting += 1;
    return untilAborted(pending.promise, signal, () => {
      pending.waiting -= 1;
      if (pending.waiting === 0) abortWith(pending.controller, abortReason(signal as AbortSignal));
    });
  }

  async #request(pending: PendingSession): Promise<Session> {
    const began = performance.now();
    // A listener may dispose or sign out at once: it must find the request in its place.
    await undefined;
    const before = this.#session?.token;
    this.#emitState(pending, "starting");
    const ask = (stored: () => void) => this.#ask(pending, before, began, stored);
    const { signal } = pending.controller;
    return this.#store.isShared ? withTabLock(`saltmine:${this.#store.key}`, signal, ask) : ask(() => {});
  }

  #emitState(
    pending: PendingSession,
    state: Extract<ClientEvent, { type: "state" }>["state"],
    backend?: Backend,
  ): void {
    if (!pending.quiet) this.#events.emit({ type: "state", state, ...(backend && { backend }) });
  }

  async #ask(
    pending: PendingSession,
    before: string | undefined,
    began: number,
    onStored: () => void,
  ): Promise<Session> {
    const { signal } = pending.controller;
    if (signal.aborted) throw abortReason(signal);
    if (this.#takeStored(before, began)) return this.#session as Session;
    this.#store.begin();
    const old = this.#session;
    const { emit, warn } = this.#events;
    const warnAboutPage = (backend: Backend | undefined) => {
      if (backend?.thread === "page")
        warn("page_thread", `The solver runs on the page's own thread: ${backend.reason}`);
    };
    const granted = await this.#requestSession({
      token: old?.token,
      isRefused: pending.isRefused,
      signal,
      onState: (state, backend) => {
        warnAboutPage(backend);
        this.#emitState(pending, state, backend);
      },
      onProgress: (measured) => pending.quiet || emit({ type: "progress", ...progressOf(measured) }),
    });
    if (signal.aborted) throw abortReason(signal);
    // The visitor signed out in another tab in the meantime: this is a session of the identity that was left.
    if ((old && !this.#session) || this.#store.isEmptied)
      return this.#ask(pending, undefined, began, onStored);
    const { session, source, serverMs, proofOfWork, backend, measured } = granted;
    this.#clock.learn(serverMs);
    // Without locks another tab may have been quicker: the visitor keeps one identity.
    if (this.#takeStored(before, began)) return this.#session as Session;
    this.#session = session;
    this.#failures = 0;
    // A callback may return the token that it has cached until that expires.
    const isRenewed = session.token !== old?.token || this.#isFresh(session);
    this.#pausedUntil = isRenewed ? 0 : performance.now() + PAUSE_MS;
    this.#store.save(session);
    onStored();
    this.#listen();
    this.#announced = session.token;
    emit({ type: "state", state: "ready", ...(backend && { backend }) });
    emit({
      type: "ready",
      session,
      source,
      ...(proofOfWork !== undefined && { proofOfWork }),
      tookMs: performance.now() - began,
      ...(measured && {
        solveMs: measured.elapsedMs,
        [measured.total === null ? "keys" : "hashes"]: measured.searched,
      }),
      ...(backend && { backend }),
    });
    this.#schedule();
    return session;
  }

  /** Takes over what another tab has stored in the meantime; returns whether that can be used. */
  #takeStored(before: string | undefined, began: number): boolean {
    if (this.#isSignedOutElsewhere()) this.#drop();
    const stored = this.#store.load();
    if (!stored || stored.token === before) return false;
    // It was issued while this tab waited, which reveals the server's clock.
    if (!this.#clock.isKnown) this.#clock.learn(issuedAtMs(stored));
    // An expired session is the visitor's identity all the same.
    if (stored.token !== this.#session?.token) this.#adopt(stored, began);
    return this.#isFresh(stored);
  }

  /** Whether the visitor signed out in another tab while this one did not listen. */
  #isSignedOutElsewhere(): boolean {
    return this.#session !== undefined && this.#store.isEmptied;
  }

  /** Renews shortly before the expiry, in a visible tab that has used the session. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const session = this.#session;
    if (!session || !this.#listening) return;
    const now = performance.now();
    const due = Math.max(this.#remainingMs(session) - this.#marginMs(session), this.#pausedUntil - now);
    this.#timer = later(due, () => {
      // Timers can be shorter than asked for: by days, or by part of a millisecond. A renewal may have failed meanwhile.
      if (this.#isFresh(session) || this.#isPaused) this.#schedule();
      else if (!isHidden()) this.#renewAhead();
    });
  }

  #renewAhead(): void {
    if (this.#uses === this.#usesWhenRenewed || !this.#session || this.#isFresh(this.#session)) return;
    this.#noteRenewal(this.#renew(undefined));
  }

  /** Without another call there is no second renewal: a process that runs for months must not renew for ever. */
  #noteRenewal(renewal: Promise<Session>): void {
    const { token } = this;
    const uses = this.#uses;
    renewal.then(
      (session) => {
        if (session.token !== token) this.#usesWhenRenewed = uses;
      },
      // The next call reports what fails here.
      () => {},
    );
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = new AbortController();
    const onStored = () => {
      // Not the event's own value: tabs that write at the same time must end with the same one.
      const stored = this.#store.load();
      if (this.#isSignedOutElsewhere()) this.#drop();
      else if (stored && stored.token !== this.#session?.token) this.#adopt(stored, performance.now());
    };
    const onWake = () => {
      // Neither timers nor the events of other tabs arrived while the page slept.
      onStored();
      if (!this.#isPaused) this.#renewAhead();
    };
    listenToTabs(this.#store.key, this.#listening.signal, { onWake, onStored });
  }
}

/** Returns a session's whole lifetime in milliseconds; NaN if the token does not contain when it was issued. */
function lifetimeOf(session: Session): number {
  return Date.parse(session.expiresAt) - issuedAtMs(session);
}
