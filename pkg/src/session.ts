/** A session on the page's side: read from the server or from storage, kept where deployed widgets keep it. */

/** Proof that the visitor has an anonymous session. */
export interface Session {
  /** The bearer token (JWT) for every later call. */
  token: string;
  /** When it expires: ISO 8601, UTC. */
  expiresAt: string;
  /** The visitor's anonymous identity: the token's `sub`. */
  userId: string;
  /** The app that the token is for. */
  appId: string;
}

/** Makes a session of what the server or a store holds; undefined if it is none, or another app's. */
export function readSession(stored: unknown, appId: string): Session | undefined {
  const { token, expiresAt } = Object(stored) as Record<string, unknown>;
  if (typeof token !== "string" || typeof expiresAt !== "string") return undefined;
  const claims = readClaims(token);
  if (!claims || typeof claims.sub !== "string" || claims.sub === "") return undefined;
  if (claims.app !== undefined && claims.app !== appId) return undefined;
  if (Number.isNaN(Date.parse(expiresAt))) return undefined;
  return { token, expiresAt, userId: claims.sub, appId };
}

/** The claims of a JWT (RFC 7519), unverified: only the server can judge them. */
function readClaims(token: string): Record<string, unknown> | undefined {
  try {
    const [, payload = ""] = token.split(".");
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (char) =>
      char.charCodeAt(0),
    );
    return Object(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}

/** When a token was issued, by the server's clock; NaN if it does not say. */
export function issuedAtMs({ token }: Session): number {
  return Number(readClaims(token)?.iat) * 1000;
}

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
