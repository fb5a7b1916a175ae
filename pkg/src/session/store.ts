/** Stores one app's session where deployed widgets store it. */
import { readSession, type Session } from "./token.js";

/** Where a session outlives the page. */
export type StorageKind = "local" | "session" | "memory";

/** Keeps one app's session under the key and in the shape that deployed widgets use. */
export class SessionStore {
  readonly key: string;
  readonly #storage: StorageKind | Storage;
  readonly #appId: string;
  readonly #onBlocked: (reason: unknown) => void;
  /** What a store that refused once holds is not what we would have put there. */
  #blocked = false;

  /** `onBlocked` is told when the browser refuses the store; the session then lives as long as the page. */
  constructor(storage: StorageKind | Storage, appId: string, onBlocked: (reason: unknown) => void) {
    this.key = `inkeep_session_${appId}`;
    this.#storage = storage;
    this.#appId = appId;
    this.#onBlocked = onBlocked;
  }

  /** Whether other tabs see what is stored. */
  get isShared(): boolean {
    return this.#storage === "local" && !this.#blocked;
  }

  load(): Session | undefined {
    if (this.#blocked) return undefined;
    const text = this.#attempt((storage) => storage.getItem(this.key));
    try {
      return readSession(JSON.parse(text as string), this.#appId);
    } catch {
      return undefined;
    }
  }

  save({ token, expiresAt }: Session): void {
    if (this.#blocked) return;
    this.#attempt((storage) => storage.setItem(this.key, JSON.stringify({ token, expiresAt })));
  }

  clear(): void {
    this.#attempt((storage) => storage.removeItem(this.key));
  }

  #attempt<T>(use: (storage: Storage) => T): T | undefined {
    const kind = this.#storage;
    if (kind === "memory") return undefined;
    try {
      // The access itself throws in sandboxed frames and where cookies are blocked.
      const storage = typeof kind === "object" ? kind : globalThis[`${kind}Storage`];
      if (!storage) throw new Error(`there is no ${kind} storage here`);
      return use(storage);
    } catch (error) {
      this.#blocked = true;
      this.#onBlocked(error);
      return undefined;
    }
  }
}
