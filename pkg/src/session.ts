/** A session on the page's side: read from the server or from storage, kept, reused while it is valid. */

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

/** A session this close to its end is renewed. */
const RENEW_BEFORE_MS = 30_000;

/** Makes a session of what the server or a store holds; undefined if it is none, or another app's. */
export function readSession(stored: unknown, appId: string): Session | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  const { token, expiresAt } = stored as Record<string, unknown>;
  if (typeof token !== "string" || typeof expiresAt !== "string") return undefined;
  const claims = readClaims(token);
  if (!claims || typeof claims.sub !== "string" || claims.sub === "") return undefined;
  if (claims.app !== undefined && claims.app !== appId) return undefined;
  if (Number.isNaN(Date.parse(expiresAt))) return undefined;
  return { token, expiresAt, userId: claims.sub, appId };
}

/** Whether a session can be used for a while yet. */
export function isFresh(session: Session, nowMs: number): boolean {
  return Date.parse(session.expiresAt) - nowMs > RENEW_BEFORE_MS;
}

/** The claims of a JWT (RFC 7519), unverified: only the server can judge them. */
function readClaims(token: string): Record<string, unknown> | undefined {
  try {
    const [, payload = ""] = token.split(".");
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (char) =>
      char.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Where a session outlives the page. */
export type StorageKind = "local" | "session" | "memory";

/** Keeps one app's session under the key and in the shape that deployed widgets use. */
export class SessionStore {
  readonly #kind: StorageKind;
  readonly #appId: string;
  readonly #onBlocked: (reason: unknown) => void;

  /** `onBlocked` is told when the browser refuses the store; the session then lives as long as the page. */
  constructor(kind: StorageKind, appId: string, onBlocked: (reason: unknown) => void) {
    this.#kind = kind;
    this.#appId = appId;
    this.#onBlocked = onBlocked;
  }

  load(): Session | undefined {
    const text = this.#attempt((storage) => storage.getItem(this.#key));
    if (typeof text !== "string") return undefined;
    try {
      return readSession(JSON.parse(text), this.#appId);
    } catch {
      return undefined;
    }
  }

  save({ token, expiresAt }: Session): void {
    this.#attempt((storage) => storage.setItem(this.#key, JSON.stringify({ token, expiresAt })));
  }

  clear(): void {
    this.#attempt((storage) => storage.removeItem(this.#key));
  }

  get #key(): string {
    return `inkeep_session_${this.#appId}`;
  }

  #attempt<T>(use: (storage: Storage) => T): T | undefined {
    if (this.#kind === "memory") return undefined;
    try {
      // The access itself throws in sandboxed frames and where cookies are blocked.
      return use(this.#kind === "local" ? globalThis.localStorage : globalThis.sessionStorage);
    } catch (error) {
      this.#onBlocked(error);
      return undefined;
    }
  }
}
