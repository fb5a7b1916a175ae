/** The callback of signed-in users. */
import type { AbortSignalType } from "../common/platform.js";

/** The context of a call of `getAuthToken`. */
export interface AuthTokenContext {
  /**
   * `session`: there is no token yet. `renewal`: the token expires in 30 s or less, or `refresh()` was called. `refused`:
   * the server refused the token (401), so that a cached token must not be returned.
   */
  reason: "session" | "renewal" | "refused";
  /** Aborts when no call waits for the token: all were aborted, the client was disposed, or `timeoutMs` passed. */
  signal: AbortSignalType;
}

/** Returns the JWT that the page's own server has signed for its user. */
export type GetAuthToken = (context: AuthTokenContext) => Promise<string>;
