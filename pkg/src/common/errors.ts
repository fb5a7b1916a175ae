import { describe } from "./describe.js";

/** Every way to fail, with the sentence that tells a developer what to do. One table: the only source. */
const SENTENCES = {
  aborted: "The caller aborted.",
  algorithm_unsupported: "Unknown hash function. Use SHA-256 on the server.",
  anonymous_not_allowed: "The app allows no anonymous sessions. Set its allowAnonymous.",
  app_not_found: "No such app, or it is disabled. Check appId and baseUrl.",
  bad_request: "The server refused the request. Check baseUrl, and that the app is a web_client.",
  challenge_malformed: "The challenge is malformed. Check baseUrl.",
  disposed: "The client was disposed. Create another.",
  engine_failed: "The solver broke off. Please report it.",
  engine_unavailable:
    "The solver could not start. Check that the package's files are served, and the page's policy (script-src, worker-src).",
  invalid_options: "An option is malformed.",
  maxnumber_too_large:
    "The challenge's maxnumber is over the ceiling. Raise maxNumber if the server really asks for this.",
  network:
    "No answer from the server. Check baseUrl, the connection, CORS, and the page's policy (connect-src).",
  no_solution: "No number up to maxnumber fits. Request another challenge.",
  origin_not_allowed:
    "The app does not allow this origin. Add its host to the app's allowedDomains; outside a browser, pass origin.",
  pow_expired: "The challenge expired too soon. Raise its lifetime or lower its difficulty on the server.",
  pow_invalid: "The solution was refused. Check that all servers share one INKEEP_POW_HMAC_SECRET.",
  pow_replayed: "The solution was used before. Request another challenge.",
  pow_required: "The server wants a proof of work, but offered no challenge. Check baseUrl.",
  rate_limited: "Too many requests from this address. Try again later.",
  response_malformed: "The server's answer is not what the protocol says. Check baseUrl.",
  server_error: "The server failed; its log has the cause. Try again later.",
  timeout: "No answer in time. Try again, or raise timeoutMs.",
} as const;

/** The stable name of a failure: what programs switch on. */
export type ErrorCode = keyof typeof SENTENCES;

/** All codes, in alphabetical order. */
export const ERROR_CODES = Object.keys(SENTENCES) as ErrorCode[];

const RETRYABLE: readonly ErrorCode[] = [
  "engine_failed",
  "network",
  "no_solution",
  "pow_expired",
  "pow_replayed",
  "rate_limited",
  "server_error",
  "timeout",
];

/** A failure as data alone: what a {@link SaltmineError} is made of. */
export interface Failure {
  code: ErrorCode;
  /** HTTP status, when an answer came. */
  status?: number;
  /** The JSON member or the option that is at fault. */
  field?: string;
  /** What the server, the browser or the caller's value adds to the sentence. */
  detail?: string;
}

/** A server's words are shown, not its pages. */
const MAX_DETAIL = 500;

/**
 * What every function of this package throws or rejects with.
 *
 * @example
 * ```ts
 * import { SaltmineError } from "saltmine";
 *
 * const error = new SaltmineError({ code: "app_not_found", status: 404 });
 * console.log(error.code, error.status, error.retryable);
 * ```
 */
export class SaltmineError extends Error {
  override readonly name = "SaltmineError";
  /** What happened; stable. */
  readonly code: ErrorCode;
  /** HTTP status, when the server answered. */
  readonly status: number | undefined;
  /** The JSON member or the option that is at fault. */
  readonly field: string | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(failure: Failure, cause?: unknown) {
    const { code, field, detail } = failure;
    const about = field === undefined ? "" : ` (${field})`;
    super(
      `${SENTENCES[code]}${about}${detail ? ` — ${detail.slice(0, MAX_DETAIL)}` : ""}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.status = failure.status;
    this.field = field;
    this.retryable = RETRYABLE.includes(code);
  }
}

/** Any thrown value as a SaltmineError: our own as they are, a failure as it says, everything else as `fallback`. */
export function asSaltmineError(thrown: unknown, fallback: ErrorCode): SaltmineError {
  if (thrown instanceof SaltmineError) return thrown;
  const { code, cause } = Object(thrown) as Partial<Failure> & { cause?: unknown };
  if (ERROR_CODES.includes(code as ErrorCode)) return new SaltmineError(thrown as Failure, cause);
  return new SaltmineError({ code: fallback, detail: describe(thrown) }, thrown);
}
