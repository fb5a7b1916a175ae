/** The callback of signed-in users. */
import type { AbortSignalType } from "../common/platform.js";

/** Why `getAuthToken` is called, and until when its result is awaited. */
export interface AuthTokenContext {
  /**
   * `session`: there is no token yet. `renewal`: the token expires in 30 s or less, or `refresh()` was called. `refused`:
   * the server refused the token (401), so that a cached token is of no use.
   */
  reason: "session" | "renewal" | "refused";
  /** Aborts when nobody waits for the token any more: the calls were aborted, the client was disposed, or `timeoutMs` passed. */
  signal: AbortSignalType;
}

/** Returns the JWT that the page's own server has signed for its user. */
export type GetAuthToken = (context: AuthTokenContext) => Promise<string>;
