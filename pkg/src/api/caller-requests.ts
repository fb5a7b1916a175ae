/**
 * The parts of a client that send the caller's own requests: a separate chunk, loaded with the first of them. It must
 * not import modules that the package's entry point contains already, but for the few lines of `abort.ts`.
 */
import { abortWith, type untilAborted } from "../common/abort.js";
import type { requireGlobals } from "../common/globals.js";
import { authorizedFetch } from "./authenticated-fetch.js";
import type { SessionManager } from "../session/session-manager.js";
import type { invalid } from "../common/options.js";
import type { RoutedFlow } from "../session/routed-flow.js";
import type { FlowRunnerOptions } from "../solver/flow.js";
import { PreparedSolutions } from "./prepared-solutions.js";

export { signedInSession } from "../session/signed-in-session.js";

/** The minimum time between two renewals after a refusal, in milliseconds. */
const PAUSE_MS = 10_000;

/** The parts of a client, and functions of the entry point, so that errors have the entry point's class. */
export interface RequestContext {
  options: FlowRunnerOptions;
  everyRequest: boolean;
  /** Whether the session is a signed-in user's. */
  isSignedIn: boolean;
  flow: RoutedFlow;
  sessions: SessionManager;
  /** Throws when the client is disposed or the signal is aborted. */
  check(signal?: AbortSignal): void;
  headers(signal: AbortSignal | undefined): Promise<Record<string, string>>;
  invalid: typeof invalid;
  requireGlobals: typeof requireGlobals;
  untilAborted: typeof untilAborted;
}

/** The requests of one client's caller. */
export class CallerRequests {
  readonly #context: RequestContext;
  readonly solutions: PreparedSolutions;
  /** The controllers of the pending requests. */
  readonly #waiting = new Set<AbortController>();
  /** When a refused token was last replaced. */
  #refusedAt = -PAUSE_MS;

  constructor(context: RequestContext) {
    this.#context = context;
    this.solutions = new PreparedSolutions(context.flow, context.options.workers, context.untilAborted);
  }

  async challengeHeaders(signal: AbortSignal | undefined): Promise<Record<string, string>> {
    const solution = await this.solutions.take(signal);
    return solution === undefined ? {} : { "X-Inkeep-Challenge-Solution": solution };
  }

  fetch(input: RequestInfo | URL, init: RequestInit | undefined): Promise<Response> {
    const { options, everyRequest, flow, check, headers, invalid } = this.#context;
    const origin = options.origin ? { Origin: options.origin } : {};
    const means = {
      baseUrl: options.flow.baseUrl,
      fetch: (input: RequestInfo | URL, init: RequestInit) => this.#send(input, init),
      invalid,
      headers: async (signal: AbortSignal | undefined) => {
        // Time has passed.
        check(signal);
        return { ...origin, ...(await headers(signal)) };
      },
      renewAfter: async (authorization: string, signal: AbortSignal | undefined) => {
        check();
        return this.#renewAfter(authorization, signal);
      },
      renewSolution: () => {
        if (everyRequest) {
          flow.forget();
          this.solutions.drop();
        }
        return everyRequest;
      },
    };
    return authorizedFetch(means, input, init);
  }

  close(reason: unknown): void {
    for (const controller of this.#waiting) abortWith(controller, reason);
    this.solutions.close(reason);
  }

  /** Sends a request. `close` aborts it, unless its response has begun. */
  async #send(input: RequestInfo | URL, init: RequestInit): Promise<Response> {
    const { options, requireGlobals, untilAborted } = this.#context;
    // The global one as it is now: a page may replace it, and jsdom has none.
    if (!options.fetch) requireGlobals(["fetch"]);
    const send = options.fetch ?? fetch;
    const controller = new AbortController();
    const { signal } = controller;
    this.#waiting.add(controller);
    try {
      const own = init.signal ?? undefined;
      // Without `AbortSignal.any` (before 2024) a request with the caller's own signal is abandoned, but not aborted.
      const either = own ? (AbortSignal.any?.([own, signal]) ?? own) : signal;
      // A caller's own `fetch` may look at no signal.
      return await untilAborted(untilAborted(send(input, { ...init, signal: either }), own), signal);
    } finally {
      this.#waiting.delete(controller);
    }
  }

  /** Renews a refused token, with a pause between two renewals; returns whether there is another token then. */
  async #renewAfter(authorization: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { sessions } = this.#context;
    const isRefused = () => authorization === `Bearer ${sessions.token}`;
    if (!isRefused()) return true;
    if (!sessions.isRenewing && performance.now() - this.#refusedAt < PAUSE_MS) return false;
    await sessions.renew(signal, true);
    this.#refusedAt = performance.now();
    return !isRefused();
  }
}
