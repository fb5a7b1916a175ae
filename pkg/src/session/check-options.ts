/** The validation of a client's options. */
import { DEFAULT_STORAGE } from "#runtime";
import { assetsOption } from "../common/assets.js";
import { requireGlobals } from "../common/globals.js";
import {
  invalid,
  listenerOption,
  maxNumberOption,
  requireKnown,
  shown,
  wholeNumber,
  workersOption,
} from "../common/options.js";
import type { FlowRunnerOptions } from "../solver/flow.js";
import type { ClientOptions, GetAuthToken } from "./client-options.js";
import type { ClientEvent } from "./events.js";
import type { KeyValueStore, StorageKind } from "./store.js";

/** The validated options. */
export interface CheckedOptions {
  appId: string;
  everyRequest: boolean;
  challengePath: string | undefined;
  challengeVersion: 1 | 2 | undefined;
  getAuthToken: GetAuthToken | undefined;
  storage: StorageKind | KeyValueStore;
  onEvent: ((event: ClientEvent) => void) | undefined;
  runner: FlowRunnerOptions;
}

/** The names of all options. */
const OPTIONS =
  "baseUrl, appId, challenge, challengePath, challengeVersion, getAuthToken, storage, workers, engine, maxNumber, timeoutMs, assetsUrl, origin, fetch, onEvent";

/** Validates the options; throws `invalid_options`. */
export function checkOptions(options: ClientOptions): CheckedOptions {
  requireGlobals(["URL", "performance"]);
  if (typeof options !== "object" || options === null)
    invalid("options", `must be an object with baseUrl and appId, not ${shown(options)}.`);
  requireKnown(options, OPTIONS);
  const {
    baseUrl,
    appId,
    origin,
    challenge = "session",
    challengePath,
    challengeVersion,
    engine,
    storage = DEFAULT_STORAGE,
  } = options;
  // It is the value of a header and a segment of a path.
  if (typeof appId !== "string" || !/^(?!\.\.?$)[ -~\xa0-\xff]+$/.test(appId))
    invalid(
      "appId",
      `must be the id of an app (app_…) that a header and a path can have, not ${shown(appId)}.`,
    );
  if (challenge !== "session" && challenge !== "every-request")
    invalid("challenge", `must be "session" or "every-request", not ${shown(challenge)}.`);
  if (challengePath !== undefined && (typeof challengePath !== "string" || !/^\/[^/]/.test(challengePath)))
    invalid("challengePath", `must be a path such as "/run/auth/challenge", not ${shown(challengePath)}.`);
  if (challengeVersion !== undefined && challengeVersion !== 1 && challengeVersion !== 2)
    invalid("challengeVersion", `must be 1 or 2, not ${shown(challengeVersion)}.`);
  if (!isStore(storage) && !["local", "session", "memory"].includes(storage as string))
    invalid(
      "storage",
      `must be "local", "session", "memory" or an object with getItem, setItem and removeItem, not ${shown(storage)}.`,
    );
  if (engine !== undefined && !["simd128", "scalar", "webcrypto"].includes(engine))
    invalid("engine", `must be "simd128", "scalar" or "webcrypto", not ${shown(engine)}.`);
  return {
    appId,
    everyRequest: challenge === "every-request",
    challengePath,
    challengeVersion,
    getAuthToken: listenerOption("getAuthToken", options.getAuthToken),
    storage,
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
      keyWorkers: options.workers,
      keyEngine: engine,
      assets: assetsOption(options.assetsUrl),
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
