/** A snapshot of the client's state, for user interfaces that render from state instead of from events. */
import { tell } from "../common/listener.js";
import type { SaltmineError } from "../common/errors.js";
import type { ClientEvent } from "./events.js";
import type { Session } from "./token.js";

/** A snapshot of a client's state; the same object until something changes. */
export interface ClientState {
  /** `idle` before the first call; otherwise the state of the last `state` event. */
  readonly status: "idle" | Extract<ClientEvent, { type: "state" }>["state"];
  /** The session, once there is one; undefined again after a sign-out. */
  readonly session: Session | undefined;
  /** The error of the last request for a session; undefined again with the next request. */
  readonly error: SaltmineError | undefined;
}

/** The state before the first call. */
const IDLE: ClientState = { status: "idle", session: undefined, error: undefined };

/** Holds the snapshot of one client. */
export class StateHolder {
  #state = IDLE;
  readonly #listeners = new Set<() => void>();

  get current(): ClientState {
    return this.#state;
  }

  /** Calls a listener after each change; returns a function that removes it. */
  subscribe(listener: () => void): () => void {
    // A listener that is added twice is called twice, and removed one at a time.
    const call = () => listener();
    this.#listeners.add(call);
    return () => void this.#listeners.delete(call);
  }

  /** Applies an event to the snapshot. */
  apply(event: ClientEvent): void {
    const next = nextState(this.#state, event);
    if (next === this.#state) return;
    this.#state = Object.freeze(next);
    for (const listener of [...this.#listeners]) tell(listener, undefined);
  }
}

function nextState(state: ClientState, event: ClientEvent): ClientState {
  if (event.type === "ready") return { status: "ready", session: event.session, error: undefined };
  if (event.type !== "state" || event.state === state.status) return state;
  const { state: status, error } = event;
  if (status === "signed_out") return { status, session: undefined, error: undefined };
  if (status !== "failed") return { ...state, status, error: undefined };
  // The visitor signed out, which aborted the request.
  if (error?.code === "aborted")
    return state.status === "signed_out" ? state : { ...state, status, error: undefined };
  return { ...state, status, error };
}
