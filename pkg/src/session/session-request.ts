/** The interface between the session manager and what gets a session: the network, or the page's own callback. */
import type { Backend, Update } from "../solver/messages.js";
import type { MeasuredSearch } from "../solver/progress.js";
import type { Session } from "./token.js";

/** One request for a session. */
export interface SessionRequest {
  /** The current token, so that the visitor keeps their identity. */
  token: string | undefined;
  /** Whether the server has refused that token. */
  isRefused: boolean;
  signal: AbortSignal;
  onState(state: Extract<Update, { type: "state" }>["state"], backend: Backend | undefined): void;
  onProgress(measured: MeasuredSearch): void;
}

/** The result of a request. */
export interface GrantedSession {
  session: Session;
  source: "network" | "callback";
  /** The server's clock in Unix milliseconds; NaN where it is unknown. */
  serverMs: number;
  proofOfWork?: boolean;
  backend?: Backend | undefined;
  /** The search, if there was one. */
  measured?: MeasuredSearch | undefined;
}

/** Gets a session. */
export type RequestSession = (request: SessionRequest) => Promise<GrantedSession>;
