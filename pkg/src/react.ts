"use client";
/**
 * A session in React 18 and later.
 *
 * @module
 */
import { type Client, type ClientOptions, createClient, type SaltmineError, type Session } from "saltmine";
import { useCallback, useEffect, useRef, useState } from "react";

/** What {@link useSession} tells. */
export interface SessionState {
  /** The session, as soon as there is one; replaced when it is renewed, gone when the visitor signs out. */
  session: Session | undefined;
  /** Why there is none, or why the last renewal failed; gone with the next success. */
  error: SaltmineError | undefined;
  /** Whether the first session is on its way; true while the server renders. */
  isLoading: boolean;
  /** For `fetch`, `signOut` and all else, once the component is mounted. Disposed with it. */
  client: Client | undefined;
  /** Asks once more, after an error or a farewell. */
  retry(): void;
}

type Told = Omit<SessionState, "retry"> & { key: string; storage: unknown };

/**
 * A client for as long as the component is mounted, and its session, asked for at once. Options may be written inline:
 * another client is made only when one of their values changes; `fetch` and `onEvent` are always the latest. A `Storage`
 * of one's own must stay the same object.
 */
export function useSession(options: ClientOptions): SessionState {
  const { fetch, onEvent: _, storage, ...rest } = options;
  const stored = typeof storage === "object" ? storage : undefined;
  const key = JSON.stringify([stored ? "own" : storage, fetch !== undefined, Object.entries(rest).sort()]);
  const latest = useRef(options);
  const [tries, setTries] = useState(0);
  const [told, setTold] = useState<Told>();

  useEffect(() => {
    latest.current = options;
  });

  useEffect(() => {
    const { fetch } = latest.current;
    let live = true;
    const tell = (change: Partial<Told>) => {
      if (!live) return;
      setTold((old) => ({ ...(old as Told), ...change }));
    };
    const fail = (error: SaltmineError) =>
      tell(/^(aborted|disposed)$/.test(error.code) ? { isLoading: false } : { error, isLoading: false });
    const begin = { key, storage: stored, session: undefined, error: undefined };
    let client: Client;
    try {
      client = createClient({
        ...latest.current,
        ...(fetch && { fetch: (...args) => (latest.current.fetch ?? fetch)(...args) }),
        onEvent: (event) => {
          if (event.type === "ready") tell({ session: event.session, error: undefined, isLoading: false });
          else if (event.type === "state" && event.state === "signed_out")
            tell({ session: undefined, error: undefined, isLoading: false });
          else if (event.type === "state" && event.error) fail(event.error);
          latest.current.onEvent?.(event);
        },
      });
    } catch (error) {
      tell({ ...begin, client: undefined, isLoading: false, error: error as SaltmineError });
      return;
    }
    tell({ ...begin, client, isLoading: true });
    // What fails is an event too.
    client.session().catch(() => {});
    return () => {
      live = false;
      client.dispose();
    };
  }, [key, stored, tries]);

  const current = told?.key === key && told.storage === stored ? told : undefined;
  const client = current?.client;
  const retry = useCallback(() => {
    if (!client) return setTries((count) => count + 1);
    setTold((old) => old && { ...old, error: undefined, isLoading: !old.session });
    client.session().catch(() => {});
  }, [client]);
  return {
    session: current?.session,
    error: current?.error,
    isLoading: current?.isLoading ?? true,
    client,
    retry,
  };
}
