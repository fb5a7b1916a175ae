/** Keeps one app's session: gets it once however many ask, shares it with the other tabs, renews it in time. */
import { abortError, untilAborted } from "../common/abort.js";
import { asSaltmineError, SaltmineError } from "../common/errors.js";
import type { ClientEvent } from "./events.js";
import type { Backend } from "../solver/messages.js";
import { progressOf } from "../solver/progress.js";
import type { FlowRunner } from "../solver/flow-runner.js";
import type { SessionStore } from "./store.js";
import { withTabLock } from "./tab-lock.js";
import { issuedAtMs, readSession, type Session } from "./token.js";
import { isHidden, later } from "./environment.js";
import type { Grant } from "../worker/wasm-module.js";

/** A session this close to its end is renewed, in milliseconds. */
const RENEW_MS = 30_000;
/** A stored session, as long as the server's clock is unknown: visitors' clocks are wrong by an hour. */
const UNSURE_MS = 3_900_000;
/** A renewal that failed is not tried again for so long. */
const PAUSE_MS = 10_000;

/** What a sessions tells. */
export interface Announce {
  emit(event: ClientEvent): void;
  warn(code: Extract<ClientEvent, { type: "warning" }>["code"], message: string): void;
}

/** One request that several callers may wait for. */
interface PendingSession {
  promise: Promise<Session>;
  waiting: number;
  controller: AbortController;
}

export class SessionManager {
  readonly #runner: FlowRunner;
  /** A solution that was prepared for somebody else, or none. */
  readonly #spareSolution: () => string | undefined;
  readonly #store: SessionStore;
  readonly #appId: string;
  readonly #announce: Announce;
  #session: Session | undefined;
  #pending: PendingSession | undefined;
  /** It may have landed, and hold its lock for a moment yet. */
  #latest: PendingSession | undefined;
  /** The server's clock minus ours, once a server has told it. */
  #skewMs: number | undefined;
  /** The same by a clock that nobody sets, but that may stand still while the machine sleeps. */
  #steadySkewMs = Date.now() - performance.now();
  /** By `performance.now()`, a clock that nobody sets. */
  #pausedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Ends the listeners. */
  #listening: AbortController | undefined;

  constructor(
    runner: FlowRunner,
    spareSolution: () => string | undefined,
    store: SessionStore,
    appId: string,
    announce: Announce,
  ) {
    this.#runner = runner;
    this.#spareSolution = spareSolution;
    this.#store = store;
    this.#appId = appId;
    this.#announce = announce;
  }

  /** What this client has, good or not. */
  get token(): string | undefined {
    return this.#session?.token;
  }

  get isRenewing(): boolean {
    return this.#pending !== undefined;
  }

  /** The kept session while it is good, else a new one for the same visitor. */
  async get(signal: AbortSignal | undefined): Promise<Session> {
    const kept = this.#load();
    if (kept && this.#isGood(kept)) return kept;
    // What still holds is better than nothing, and a server in trouble is not asked with every call.
    if (kept && performance.now() < this.#pausedUntil && this.#remainingMs(kept) > 0) return kept;
    return this.renew(signal);
  }

  /** A new session for the same visitor; the old one if that fails and the old one still holds. */
  async renew(signal: AbortSignal | undefined): Promise<Session> {
    const old = this.#load();
    this.#pending ??= this.#startRequest();
    try {
      return await this.#join(this.#pending, signal);
    } catch (error) {
      const aborted = error instanceof SaltmineError && /^(aborted|disposed)$/.test(error.code);
      if (!aborted) this.#pausedUntil = performance.now() + PAUSE_MS;
      if (aborted || !old || old !== this.#session || this.#remainingMs(old) <= 0) throw error;
      this.#announce.warn(
        "refresh_failed",
        `The old session is used to its end: ${(error as Error).message}`,
      );
      this.#schedule();
      return old;
    }
  }

  /** Forgets the session, and what would bring one. */
  forget(): void {
    this.#pending?.controller.abort();
    this.#store.clear();
    this.#drop();
  }

  close(): void {
    this.#latest?.controller.abort(new SaltmineError({ code: "disposed" }));
    clearTimeout(this.#timer);
    this.#listening?.abort();
    this.#listening = undefined;
  }

  #drop(): void {
    this.#session = undefined;
    clearTimeout(this.#timer);
    this.#announce.emit({ type: "state", state: "signed_out" });
  }

  /** What this client has, or what an earlier visit or another tab has left. */
  #load(): Session | undefined {
    if (!this.#session) {
      const began = performance.now();
      const stored = this.#store.load();
      if (stored) this.#adopt(stored, began);
    }
    return this.#session;
  }

  /** Learns the server's clock from an answer. */
  #learn(serverMs: number): void {
    if (Number.isNaN(serverMs)) return;
    this.#skewMs = serverMs - Date.now();
    this.#steadySkewMs = serverMs - performance.now();
  }

  #isGood(session: Session): boolean {
    return this.#remainingMs(session) > this.#marginMs(session);
  }

  #remainingMs({ expiresAt }: Session): number {
    const now = Math.max(Date.now() + (this.#skewMs ?? 0), performance.now() + this.#steadySkewMs);
    return Date.parse(expiresAt) - now;
  }

  /** How much of a session must be left to use it. */
  #marginMs(session: Session): number {
    if (this.#skewMs !== undefined) return RENEW_MS;
    const lifetimeMs = Date.parse(session.expiresAt) - issuedAtMs(session);
    // More left than there ever was: our clock is behind, who knows how far.
    if (this.#remainingMs(session) > lifetimeMs + RENEW_MS) return Number.POSITIVE_INFINITY;
    return Math.max(RENEW_MS, Math.min(UNSURE_MS, lifetimeMs / 2 || 0));
  }

  /** Takes a session of another visit or tab. */
  #adopt(session: Session, began: number): void {
    this.#session = session;
    this.#listen();
    if (!this.#isGood(session)) return;
    this.#announce.emit({ type: "state", state: "ready" });
    this.#announce.emit({ type: "ready", session, source: "storage", tookMs: performance.now() - began });
    this.#schedule();
  }

  #startRequest(): PendingSession {
    // This tab needs no time to see what it has stored.
    this.#latest?.controller.abort();
    const controller = new AbortController();
    const { signal } = controller;
    const promise = this.#request(signal).catch((thrown) => {
      const error = asSaltmineError(thrown, "engine_failed");
      // A pending that was given up says nothing of the one that has taken its place.
      if (!this.#pending || this.#pending === pending)
        this.#announce.emit({ type: "state", state: "failed", error });
      throw error;
    });
    const pending = { promise, waiting: 0, controller };
    this.#latest = pending;
    const land = () => {
      if (this.#pending === pending) this.#pending = undefined;
    };
    promise.then(land, land);
    // A pending that is given up before it lands must not leave another one waiting for it.
    signal.addEventListener("abort", land, { once: true });
    return pending;
  }

  /** Waits for a pending; when its last caller has given up, the pending is given up too. */
  #join(pending: PendingSession, signal: AbortSignal | undefined): Promise<Session> {
    pending.waiting += 1;
    return untilAborted(pending.promise, signal, () => {
      pending.waiting -= 1;
      if (pending.waiting === 0) pending.controller.abort();
    });
  }

  async #request(signal: AbortSignal): Promise<Session> {
    const began = performance.now();
    // The listener may dispose or sign out at once: it must find the pending in its place.
    await undefined;
    const before = this.#session?.token;
    this.#announce.emit({ type: "state", state: "starting" });
    const ask = (stored: () => void) => this.#ask(before, began, signal, stored);
    return this.#store.isShared ? withTabLock(`saltmine:${this.#store.key}`, signal, ask) : ask(() => {});
  }

  async #ask(
    before: string | undefined,
    began: number,
    signal: AbortSignal,
    onStored: () => void,
  ): Promise<Session> {
    if (signal.aborted) throw abortError(signal);
    if (this.#anotherTabs(before, began)) return this.#session as Session;
    const old = this.#session;
    const { emit, warn } = this.#announce;
    const warnOfPage = ({ thread, reason }: Backend) => {
      if (thread === "page") warn("page_thread", `The work is done on the page's own thread: ${reason}`);
    };
    const { value, backend, measured } = await this.#runner.run({
      token: old?.token,
      solution: this.#spareSolution(),
      solveOnly: false,
      signal,
      onState: (state, backend) => {
        warnOfPage(backend);
        emit({ type: "state", state, backend });
      },
      onProgress: (measured) => emit({ type: "progress", ...progressOf(measured) }),
    });
    if (signal.aborted) throw abortError(signal);
    // Signed out in another tab in the meantime: this is a session of the identity that was left.
    if (old && !this.#session) return this.#ask(undefined, began, signal, onStored);
    const grant = value as Grant;
    const session = readSession(grant, this.#appId);
    if (!session) {
      const detail = "The token is not a JWT of this app with a subject.";
      throw new SaltmineError({ code: "response_malformed", detail });
    }
    // Without a readable Date the token tells when it was made.
    this.#learn(grant.serverMs ?? issuedAtMs(session));
    // Without locks another tab may have been quicker: the visitor stays one.
    if (this.#anotherTabs(before, began)) return this.#session as Session;
    this.#session = session;
    this.#pausedUntil = 0;
    this.#store.save(session);
    onStored();
    this.#listen();
    emit({ type: "state", state: "ready", backend });
    emit({
      type: "ready",
      session,
      source: "network",
      proofOfWork: grant.proofOfWork === 1,
      tookMs: performance.now() - began,
      ...(measured && { solveMs: measured.elapsedMs, hashes: measured.searched }),
      backend,
    });
    this.#schedule();
    return session;
  }

  /** Takes what another tab has stored in the meantime; whether that can be used. */
  #anotherTabs(before: string | undefined, began: number): boolean {
    const stored = this.#store.isShared ? this.#store.load() : undefined;
    if (!stored || stored.token === before) return false;
    // It was made while this tab waited: that tells the server's clock.
    if (this.#skewMs === undefined) this.#learn(issuedAtMs(stored));
    // One that has run out is the visitor's identity all the same.
    if (stored.token !== this.#session?.token) this.#adopt(stored, began);
    return this.#isGood(stored);
  }

  /** Renews shortly before the end, as long as somebody looks. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const session = this.#session;
    if (!session || !this.#listening) return;
    const now = performance.now();
    const due = Math.max(this.#remainingMs(session) - this.#marginMs(session), this.#pausedUntil - now);
    this.#timer = later(due, () => {
      // Timers can be shorter than asked for: by days, or by the part of a millisecond.
      if (this.#isGood(session)) this.#schedule();
      else if (!isHidden()) this.#renewAhead();
    });
  }

  #renewAhead(): void {
    if (!this.#session || this.#isGood(this.#session)) return;
    // What fails here is told where it matters: at the next call.
    this.renew(undefined).catch(() => {});
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const takeStored = (): boolean => {
      const stored = this.#store.load();
      if (stored && stored.token !== this.#session?.token) this.#adopt(stored, performance.now());
      return stored !== undefined;
    };
    const wake = () => {
      if (isHidden()) return;
      // Neither timers nor the events of other tabs came while the page slept.
      if (this.#store.isShared) takeStored();
      if (performance.now() >= this.#pausedUntil) this.#renewAhead();
    };
    globalThis.document?.addEventListener("visibilitychange", wake, { signal });
    const onStorage = ({ key }: StorageEvent) => {
      // A null key is a store that was cleared whole.
      if (!this.#store.isShared || (key !== this.#store.key && key !== null)) return;
      // Not the event's own value: tabs that write at the same time must end with the same one.
      if (!takeStored() && this.#session) this.#drop();
    };
    globalThis.addEventListener?.("storage", onStorage, { signal });
  }
}
