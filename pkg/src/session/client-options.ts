/** The options of a client, and their validation. */
import { DEFAULT_STORAGE } from "#runtime";
import type { FetchType, URLType } from "../common/platform.js";
import {
  invalid,
  listenerOption,
  maxNumberOption,
  shown,
  wholeNumber,
  workersOption,
} from "../common/options.js";
import type { FlowRunnerOptions } from "../solver/flow-runner.js";
import type { ClientEvent } from "./events.js";
import type { GetAuthToken } from "./signed-in-session.js";
import type { KeyValueStore, StorageKind } from "./store.js";

/** The options of {@link createClient}. */
export interface ClientOptions {
  /** The service's address, such as `https://api.example.com`. */
  baseUrl: string;
  /** The id of the app that the widget belongs to. */
  appId: string;
  /**
   * Where a solution is attached: to the request for a session (default), or to every call of the run API as well, for
   * servers that ask for it (`headers()` and `fetch()` then bring one).
   */
  challenge?: "session" | "every-request" | undefined;
  /**
   * The route of the challenge, such as `/run/auth/pow/challenge`. By default `/run/auth/challenge` is requested and, on
   * 404, `/run/auth/pow/challenge`; which one responded is remembered.
   */
  challengePath?: string | undefined;
  /**
   * Returns the signed-in user's JWT, which your server signs. The session is then the user's: no challenge is solved, the
   * token is not stored, and an anonymous session of the app is forgotten. It is called again 30 s before the token
   * expires, and once after the server refused it (401).
   */
  getAuthToken?: GetAuthToken | undefined;
  /**
   * Where the session outlives the page: `local`, `session`, `memory`, or an object with `getItem`, `setItem` and
   * `removeItem`; default `local` in browsers, `memory` in Node. A store that the browser refuses is `memory`, and a warning.
   */
  storage?: StorageKind | KeyValueStore | undefined;
  /** The most workers that search at the same time; default one less than the machine has threads, at most 8. */
  workers?: number | undefined;
  /** The largest `maxnumber` that is searched; default 10 million. A challenge's own value is not signed. */
  maxNumber?: number | undefined;
  /** Time limit of each request to the server, in milliseconds; default 15000. */
  timeoutMs?: number | undefined;
  /** The worker's script, where it cannot be beside the package: `worker.js` of the same version. */
  workerUrl?: string | URLType | undefined;
  /** The folder of `simd128.wasm` and `scalar.wasm`, where it is not the worker's. */
  wasmUrl?: string | URLType | undefined;
  /** The `Origin` to send, for runtimes that send none by themselves (Node). Browsers ignore it. */
  origin?: string | undefined;
  /** Sends the requests in place of the global `fetch`. */
  fetch?: FetchType | undefined;
  /** Receives the client's events. An error that it throws is reported as uncaught, and does not reach the client. */
  onEvent?: ((event: ClientEvent) => void) | undefined;
}

/** The validated options. */
export interface CheckedOptions {
  appId: string;
  everyRequest: boolean;
  challengePath: string | undefined;
  getAuthToken: GetAuthToken | undefined;
  storage: StorageKind | KeyValueStore;
  workerUrl: string | undefined;
  wasmUrl: string | undefined;
  onEvent: ((event: ClientEvent) => void) | undefined;
  runner: FlowRunnerOptions;
}

/** Validates the options; throws `invalid_options`. */
export function checkOptions(options: ClientOptions): CheckedOptions {
  if (typeof options !== "object" || options === null)
    invalid("options", `must be an object with baseUrl and appId, not ${shown(options)}.`);
  const { baseUrl, appId, origin, challenge = "session", challengePath, storage = DEFAULT_STORAGE } = options;
  // A lone surrogate has no encoding in a URL.
  if (typeof appId !== "string" || appId === "" || /[\ud800-\udfff]/u.test(appId))
    invalid("appId", `must be the id of an app (app_…), not ${shown(appId)}.`);
  if (challenge !== "session" && challenge !== "every-request")
    invalid("challenge", `must be "session" or "every-request", not ${shown(challenge)}.`);
  if (challengePath !== undefined && (typeof challengePath !== "string" || !/^\/[^/]/.test(challengePath)))
    invalid("challengePath", `must be a path such as "/run/auth/challenge", not ${shown(challengePath)}.`);
  if (!isStore(storage) && !["local", "session", "memory"].includes(storage as string))
    invalid(
      "storage",
      `must be "local", "session", "memory" or an object with getItem, setItem and removeItem, not ${shown(storage)}.`,
    );
  return {
    appId,
    everyRequest: challenge === "every-request",
    challengePath,
    getAuthToken: listenerOption("getAuthToken", options.getAuthToken),
    storage,
    workerUrl: placeOption("workerUrl", options.workerUrl),
    wasmUrl: placeOption("wasmUrl", options.wasmUrl)?.replace(/\/?$/, "/"),
    onEvent: listenerOption("onEvent", options.onEvent),
    runner: {
      flow: {
        baseUrl: checkedBase(baseUrl),
        appPath: encodeURIComponent(appId),
        maxNumber: maxNumberOption(options.maxNumber),
      },
      origin: origin === undefined ? undefined : checkedUrl("origin", origin).origin,
      timeoutMs: wholeNumber("timeoutMs", options.timeoutMs, 15_000, 1, 2 ** 31 - 1),
      workers: workersOption(options.workers),
      fetch: listenerOption("fetch", options.fetch),
    },
  };
}

function isStore(storage: unknown): storage is KeyValueStore {
  const { getItem, setItem, removeItem } = Object(storage) as Partial<KeyValueStore>;
  return [getItem, setItem, removeItem].every((method) => typeof method === "function");
}

function checkedUrl(field: string, value: unknown): URL {
  let url: URL | undefined;
  try {
    url = new URL(value as string);
  } catch {
    // Reported below.
  }
  if (typeof value !== "string" || !url || !/^https?:$/.test(url.protocol)) {
    invalid(field, `must be an absolute http(s) URL, not ${shown(value)}.`);
  }
  return url;
}

/** Paths are appended to it. */
function checkedBase(value: unknown): string {
  const { href, username, password, search, hash } = checkedUrl("baseUrl", value);
  if (username || password || search || hash) {
    invalid("baseUrl", `must have no user, query or fragment, as ${shown(value)} has.`);
  }
  return href.replace(/\/+$/, "");
}

/** The address of a file of the package. */
function placeOption(field: string, value: string | URL | undefined): string | undefined {
  if (value === undefined) return undefined;
  try {
    return new URL(value, globalThis.location?.href).href;
  } catch {
    return invalid(field, `must be a URL, not ${shown(value)}.`);
  }
}
