import { describe } from "./describe.js";

/** Every error code, with its message. This table is the only source. */
const SENTENCES = {
  aborted: "The request was aborted. Call again if the result is still needed.",
  algorithm_unsupported: "The challenge's hash function is not supported. Use SHA-256 on the server.",
  anonymous_not_allowed: "The app allows no anonymous sessions. Set allowAnonymous of the app.",
  app_not_found: "The app does not exist or is disabled. Check appId and baseUrl.",
  auth_token_failed: "The callback getAuthToken failed. Check the route that it calls.",
  auth_token_invalid:
    "The callback getAuthToken returned an unusable token. Return a JWT with sub, iat and exp.",
  bad_request: "The server refused the request. Check baseUrl, and that the app is a web_client.",
  challenge_malformed: "The challenge is malformed. Check baseUrl.",
  disposed: "The client was disposed. Create another one.",
  engine_failed: "The solver failed unexpectedly. Please report it.",
  engine_unavailable:
    "The solver could not start. Check that the package's files are served, and the page's policy (script-src, worker-src).",
  interaction_required:
    "The server requires an interaction with the visitor (codeChallenge), which this client does not support. Turn it off on the server.",
  invalid_options: "An option is invalid.",
  maxnumber_too_large:
    "The challenge's maxnumber is too large. Raise maxNumber if the server really requires this.",
  network:
    "The server did not respond. Check baseUrl, the connection, CORS, and the page's policy (connect-src).",
  no_solution: "No number up to maxnumber solves the challenge. Request another challenge.",
  origin_not_allowed:
    "The app does not allow this origin. Add its host to the app's allowedDomains; outside a browser, pass origin.",
  pow_expired: "The challenge expired too soon. Raise its lifetime or lower its difficulty on the server.",
  pow_invalid: "The solution was refused. Check that all servers share one INKEEP_POW_HMAC_SECRET.",
  pow_replayed: "The solution was used before. Request another challenge.",
  pow_required: "The server requires a proof of work, but sent no challenge. Check baseUrl.",
  rate_limited: "This address sent too many requests. Try again later.",
  response_malformed: "The server's response does not follow the protocol. Check baseUrl.",
  runtime_unsupported:
    "This runtime lacks globals that the client needs. Load a polyfill first, or use a newer runtime.",
  server_error: "The server failed; its log has the cause. Try again later.",
  timeout: "The server did not respond in time. Try again, or raise timeoutMs.",
} as const;

/** The stable name of a failure, for programs to compare. */
export type ErrorCode = keyof typeof SENTENCES;

/** All codes, in alphabetical order. */
export const ERROR_CODES = Object.keys(SENTENCES) as ErrorCode[];

const RETRYABLE: readonly ErrorCode[] = [
  "auth_token_failed",
  "engine_failed",
  "network",
  "no_solution",
  "pow_expired",
  "pow_replayed",
  "rate_limited",
  "server_error",
  "timeout",
];

/** A failure as plain data, from which a {@link SaltmineError} is created. */
export interface Failure {
  code: ErrorCode;
  /** HTTP status of the response, if there was one. */
  status?: number | undefined;
  /** The invalid JSON member or option. */
  field?: string | undefined;
  /** Details from the server or the browser, which are appended to the message. */
  detail?: string | undefined;
  /** The server's id of the request, which is in its log too. */
  requestId?: string | undefined;
  /** How long the server asks to wait before the next request, in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** The longest detail that a message shows: a server may respond with a whole page. */
const MAX_DETAIL = 500;

/**
 * The error that every function of this package throws or rejects with.
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
  /** The stable code of the failure. */
  readonly code: ErrorCode;
  /** HTTP status of the server's response, if there was one. */
  readonly status: number | undefined;
  /** The invalid JSON member or option. */
  readonly field: string | undefined;
  /** The server's id of the request, if it sent one; it is in the server's log too. */
  readonly requestId: string | undefined;
  /** How long the server asks to wait before the next request (`Retry-After`), in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(failure: Failure, cause?: unknown) {
    super(messageOf(failure), cause === undefined ? undefined : { cause });
    const { code, field } = failure;
    this.code = code;
    this.status = failure.status;
    this.field = field;
    this.requestId = failure.requestId;
    const { retryAfterMs } = failure;
    this.retryAfterMs = retryAfterMs === undefined ? undefined : Math.round(retryAfterMs);
    this.retryable = RETRYABLE.includes(code);
  }
}

function messageOf({ code, field, detail = "" }: Failure): string {
  const more = detail.slice(0, MAX_DETAIL);
  if (code === "invalid_options" && field !== undefined) return `Invalid option \`${field}\`: ${more}`;
  return `${SENTENCES[code]}${field === undefined ? "" : ` (${field})`}${more && ` — ${more}`}`;
}

/** Returns a thrown value as a SaltmineError: a Failure with its own code, any other value with the code `fallback`. */
export function asSaltmineError(thrown: unknown, fallback: ErrorCode): SaltmineError {
  if (thrown instanceof SaltmineError) return thrown;
  const { code, cause } = Object(thrown) as Partial<Failure> & { cause?: unknown };
  if (ERROR_CODES.includes(code as ErrorCode)) return new SaltmineError(thrown as Failure, cause);
  return new SaltmineError({ code: fallback, detail: describe(thrown) }, thrown);
}
