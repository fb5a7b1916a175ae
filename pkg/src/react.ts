"use client";
/**
 * A session in React 18 and later.
 *
 * @module
 */
import {
  type Client,
  type ClientOptions,
  type ClientState,
  createClient,
  type SaltmineError,
  type Session,
} from "saltmine";
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";

/** The result of {@link useSession}. */
export interface SessionState {
  /** The session, as soon as there is one; replaced when it is renewed, undefined after a sign-out. */
  session: Session | undefined;
  /** The error of the last request for a session; undefined again with the next request. */
  error: SaltmineError | undefined;
  /** Whether the first session is being requested; true while a server renders. */
  isLoading: boolean;
  /** The client, once the component is mounted. One that was created from options is disposed with the component. */
  client: Client | undefined;
  /** Requests a session again, after an error or a sign-out. */
  retry(): void;
}

/** The result of some options: a client, or the error that they cause. */
interface Made {
  key: string;
  storage: unknown;
  client?: Client;
  error?: SaltmineError;
}

/** A call that failed, and the client's state then: it has no error if the call could not start. */
interface Failed {
  client: Client;
  state: ClientState;
  error: SaltmineError;
}

const IDLE: ClientState = { status: "idle", session: undefined, error: undefined };
const isClient = (source: ClientOptions | Client): source is Client => "session" in source;

/**
 * Returns the session of a client, and requests it at once. `source` is a client, or the options of a client that
 * exists while the component is mounted. Options may be written inline: another client is created only when one of
 * their values changes; `fetch`, `getAuthToken` and `onEvent` are always the latest. An object in `storage` must stay
 * the same object.
 */
export function useSession(source: ClientOptions | Client): SessionState {
  const given = isClient(source) ? source : undefined;
  const options = given ? undefined : (source as ClientOptions);
  const { fetch, getAuthToken, onEvent: _, storage, ...rest } = options ?? ({} as ClientOptions);
  const stored = typeof storage === "object" ? storage : undefined;
  const callbacks = [fetch !== undefined, getAuthToken !== undefined];
  const key = JSON.stringify([stored ? "own" : storage, ...callbacks, Object.entries(rest).sort()]);
  const latest = useRef(options);
  const [tries, setTries] = useState(0);
  const [made, setMade] = useState<Made>();
  const [failed, setFailed] = useState<Failed>();

  useEffect(() => {
    latest.current = options;
  });

  useEffect(() => {
    const current = latest.current;
    if (given || !current) return;
    const { fetch, getAuthToken } = current;
    let client: Client;
    try {
      client = createClient({
        ...current,
        ...(fetch && { fetch: (...args) => (latest.current?.fetch ?? fetch)(...args) }),
        ...(getAuthToken && {
          getAuthToken: (context) => (latest.current?.getAuthToken ?? getAuthToken)(context),
        }),
        onEvent: (event) => latest.current?.onEvent?.(event),
      });
    } catch (error) {
      setMade({ key, storage: stored, error: error as SaltmineError });
      return;
    }
    setMade({ key, storage: stored, client });
    return () => client.dispose();
  }, [given, key, stored, tries]);

  const own = made?.key === key && made.storage === stored ? made : undefined;
  const client = given ?? own?.client;
  const subscribe = useCallback(
    (listener: () => void) => client?.subscribe(listener) ?? (() => {}),
    [client],
  );
  const state = useSyncExternalStore(
    subscribe,
    () => client?.state ?? IDLE,
    () => IDLE,
  );
  const { status, session } = state;

  const retry = useCallback(() => {
    if (!client) return setTries((count) => count + 1);
    const before = client.state;
    client.session().catch((error) => {
      // Any other failure is part of a state, and another call may have begun since. A sign-out is no error.
      const isMissing = client.state === before ? error.code !== "aborted" : error.code === "disposed";
      if (isMissing) setFailed({ client, state: client.state, error });
    });
  }, [client]);

  useEffect(() => {
    if (client) retry();
  }, [client, retry]);

  const isCurrent = failed?.client === client && failed?.state === state;
  const error = state.error ?? own?.error ?? (isCurrent ? failed.error : undefined);
  return {
    session,
    error,
    isLoading: !session && !error && status !== "failed" && status !== "signed_out",
    client,
    retry,
  };
}
