/** The events of a client: one tagged union. */
import type { SaltmineError } from "../common/errors.js";
import type { Backend } from "../solver/types.js";
import type { Progress, ProgressV2 } from "../solver/progress.js";
import type { Session } from "./token.js";

/** An event of a client. */
export type ClientEvent =
  /**
   * The client enters a state. `backend` is known from `solving` on; after the search it is the engine of the search.
   * `waiting`: a request will be repeated soon. `signed_out`: the session was deleted, in this tab or in another.
   */
  | {
      type: "state";
      state: "starting" | "challenge" | "solving" | "waiting" | "session" | "ready" | "failed" | "signed_out";
      backend?: Backend | undefined;
      /** The error of `failed`. */
      error?: SaltmineError | undefined;
    }
  /** The search continues; the members of {@link ProgressV2} if the challenge is of version 2. */
  | ({ type: "progress" } & (Progress | ProgressV2))
  /** A session is available. */
  | {
      type: "ready";
      session: Session;
      /** `storage`: from an earlier visit or another tab, without a request. `callback`: from `getAuthToken`. */
      source: "network" | "storage" | "callback";
      /** Whether the server required a proof of work; only for a session from the network. */
      proofOfWork?: boolean | undefined;
      /** The time from the call to the session, in milliseconds. */
      tookMs: number;
      /** The time of the search, in milliseconds. */
      solveMs?: number | undefined;
      /** The number of tried candidates, for a challenge of version 1. */
      hashes?: number | undefined;
      /** The number of derived keys, for a challenge of version 2. */
      keys?: number | undefined;
      backend?: Backend | undefined;
    }
  /** The client continues with a limitation, which `message` describes. */
  | { type: "warning"; code: "storage_blocked" | "page_thread" | "refresh_failed"; message: string };
