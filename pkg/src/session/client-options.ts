/** The options of a client. */
import type { AssetsUrl } from "../common/assets.js";
import type { AbortSignalType, FetchType } from "../common/platform.js";
import type { Engine } from "../solver/types.js";
import type { ClientEvent } from "./events.js";
import type { KeyValueStore, StorageKind } from "./store.js";

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

/** The options of {@link createClient}. */
export interface ClientOptions {
  /** The service's address, such as `https://api.example.com`. */
  baseUrl: string;
  /** The id of the app that the widget belongs to. */
  appId: string;
  /**
   * The requests that carry a solution. `session` (default): the request for a session. `every-request`: every call of
   * the run API too, for servers that require it; `headers()` and `fetch()` then add one.
   */
  challenge?: "session" | "every-request" | undefined;
  /**
   * The route of the challenge, such as `/run/auth/pow/challenge`. By default `/run/auth/challenge` is requested and, on
   * 404, `/run/auth/pow/challenge`; the route that responded is remembered.
   */
  challengePath?: string | undefined;
  /**
   * The version of ALTCHA of the service's challenges, if you know it. The files that they need are then requested together with
   * the first challenge. Challenges of the other version are solved too.
   */
  challengeVersion?: 1 | 2 | undefined;
  /**
   * Returns the signed-in user's JWT, which your server signs. The session is then the user's: no challenge is solved, the
   * token is not stored, and an anonymous session of the app is forgotten. It is called again 30 s before the token
   * expires, and once after the server refused it (401).
   */
  getAuthToken?: GetAuthToken | undefined;
  /**
   * The storage of the session: `local`, `session`, `memory`, or an object with `getItem`, `setItem` and `removeItem`;
   * default `local` in browsers, `memory` in Node. If the browser refuses it, the client emits a warning and uses
   * `memory`.
   */
  storage?: StorageKind | KeyValueStore | undefined;
  /** The maximum number of workers of a search; default one less than the machine has threads, at most 8. */
  workers?: number | undefined;
  /** The best engine to use for challenges of version 2; default the best that runs. */
  engine?: Exclude<Engine, "javascript"> | undefined;
  /** The largest `maxnumber` that is searched; default 10000000 (10 million). A challenge's own value is not signed. */
  maxNumber?: number | undefined;
  /**
   * Time limit of each request that gets a solution or a session, in milliseconds; default 15000 (15 seconds). Requests
   * of `client.fetch` have none.
   */
  timeoutMs?: number | undefined;
  /**
   * The location of the package's files, if they are not beside the page's script: the folder with a copy of the
   * package's `dist/` of the same version, or the address of each file. Node ignores `http(s)` addresses.
   */
  assetsUrl?: AssetsUrl | undefined;
  /** The `Origin` to send, for runtimes that send none by themselves (Node). Browsers ignore it. */
  origin?: string | undefined;
  /** Sends the requests in place of the global `fetch`. */
  fetch?: FetchType | undefined;
  /** Receives the client's events. An error that it throws is reported as uncaught, and does not reach the client. */
  onEvent?: ((event: ClientEvent) => void) | undefined;
}
