/** Stores one app's session where deployed widgets store it. */
import { readSession, type Session } from "./token.js";

/** The built-in storage of a session. */
export type StorageKind = "local" | "session" | "memory";

/** The methods of a `Storage` that a client uses. */
export interface KeyValueStore {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Stores one app's session under the key and in the format that deployed widgets use. */
export class SessionStore {
  readonly key: string;
  readonly #storage: StorageKind | KeyValueStore;
  readonly #appId: string;
  readonly #onBlocked: (reason: unknown) => void;
  /** Whether an access to the store has failed: its content may be out of date, and is not read again. */
  #blocked = false;
  /** Whether the store had a session when it was last read or written here. */
  #held = false;

  /** `onBlocked` is called when the browser refuses the store; the session then lives as long as the page. */
  constructor(storage: StorageKind | KeyValueStore, appId: string, onBlocked: (reason: unknown) => void) {
    this.key = `inkeep_session_${appId}`;
    this.#storage = storage;
    this.#appId = appId;
    this.#onBlocked = onBlocked;
  }

  /** Whether other tabs use the same store. */
  get isShared(): boolean {
    return this.#storage === "local" && !this.#blocked;
  }

  /** Whether another owner of the same store, such as another tab, has removed the session. */
  get isEmptied(): boolean {
    return this.#held && !this.load() && !this.#blocked;
  }

  load(): Session | undefined {
    try {
      const session = readSession(JSON.parse(this.read(this.key) as string), this.#appId);
      this.#held ||= session !== undefined;
      return session;
    } catch {
      return undefined;
    }
  }

  save({ token, expiresAt }: Session): void {
    this.put(this.key, JSON.stringify({ token, expiresAt }));
    // A store of the caller's own may keep nothing.
    this.#held = false;
    this.load();
  }

  /** A request for a session begins: only what is removed from now on ends it. */
  begin(): void {
    this.#held = false;
    this.load();
  }

  /** Removes the session. */
  clear(): void {
    this.#held = false;
    this.remove(this.key);
  }

  /** Returns the text under a key; undefined if the store was refused. */
  read(key: string): string | null | undefined {
    return this.#blocked ? undefined : this.#attempt((storage) => storage.getItem(key));
  }

  /** Stores a text under a key, unless the store was refused. */
  put(key: string, text: string): void {
    if (!this.#blocked) this.#attempt((storage) => storage.setItem(key, text));
  }

  /** Removes the text under a key, also in a store that was refused: it may only be full. */
  remove(key: string): void {
    this.#attempt((storage) => storage.removeItem(key));
  }

  #attempt<T>(use: (storage: KeyValueStore) => T): T | undefined {
    const kind = this.#storage;
    if (kind === "memory") return undefined;
    const refuse = (error: unknown) => {
      this.#blocked = true;
      this.#onBlocked(error);
      return undefined;
    };
    try {
      // The access itself throws in sandboxed frames and where cookies are blocked.
      const storage = typeof kind === "object" ? kind : globalThis[`${kind}Storage`];
      if (!storage) throw new Error(`there is no ${kind} storage here`);
      const result = use(storage);
      // An asynchronous store refuses later.
      Object(result).then?.(undefined, refuse);
      return result;
    } catch (error) {
      return refuse(error);
    }
  }
}

/** The members of a store that a session manager uses. */
export type SharedStore = Pick<
  SessionStore,
  "key" | "isShared" | "isEmptied" | "load" | "begin" | "save" | "clear"
>;

/**
 * Stores no session: a signed-in user's token is never stored. Each sign-out stores a mark, by which other tabs notice
 * it.
 */
export class SignOutStore implements SharedStore {
  readonly key: string;
  /** Each tab calls its own callback, and waits for no other tab. */
  readonly isShared = false;
  readonly #store: SessionStore;
  /** The mark that was stored when the session was requested. */
  #mark: string | null | undefined;

  constructor(store: SessionStore, appId: string) {
    this.key = `saltmine_signed_out_${appId}`;
    this.#store = store;
  }

  /** Whether another tab has signed out since the session was requested. A store that was cleared has no mark. */
  get isEmptied(): boolean {
    const mark = this.#store.read(this.key);
    // A store of the caller's own may return a promise.
    return typeof mark === "string" && mark !== this.#mark;
  }

  load(): undefined {}

  begin(): void {
    this.#mark = this.#store.read(this.key);
  }

  save(): void {}

  clear(): void {
    this.#store.put(this.key, String(Math.random()));
  }
}
