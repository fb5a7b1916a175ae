/** The events of a client: one tagged union. */
import type { SaltmineError } from "../common/errors.js";
import type { Backend } from "../solver/types.js";
import type { Progress, ProgressV2 } from "../solver/progress.js";
import type { Session } from "./token.js";

/** An event of a client. */
export type ClientEvent =
  /**
   * It enters a state; `backend` is known from `solving` on, and after the search it is what searched. `waiting`: the
   * next try is a moment away. `signed_out`: the session was forgotten, in this tab or in another.
   */
  | {
      type: "state";
      state: "starting" | "challenge" | "solving" | "waiting" | "session" | "ready" | "failed" | "signed_out";
      backend?: Backend | undefined;
      /** Of `failed`: why. */
      error?: SaltmineError | undefined;
    }
  /** The search continues; the members of {@link ProgressV2} if the challenge is of version 2. */
  | ({ type: "progress" } & (Progress | ProgressV2))
  /** There is a session, and this is what it took. */
  | {
      type: "ready";
      session: Session;
      /** `storage`: from an earlier visit or another tab, without a request. `callback`: from `getAuthToken`. */
      source: "network" | "storage" | "callback";
      /** Whether the server required a proof of work; only of a session from the network. */
      proofOfWork?: boolean | undefined;
      /** From the call to the session. */
      tookMs: number;
      /** Only the search. */
      solveMs?: number | undefined;
      /** Candidates tried, of a challenge of version 1. */
      hashes?: number | undefined;
      /** Keys derived, of a challenge of version 2. */
      keys?: number | undefined;
      backend?: Backend | undefined;
    }
  /** Something works less well than it could; the client continues. */
  | { type: "warning"; code: "storage_blocked" | "page_thread" | "refresh_failed"; message: string };
