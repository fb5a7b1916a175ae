/**
 * Gets a signed-in user's session: a token that the page's own callback returns, and no request of ours. Loaded only by
 * clients that have such a callback. A failure is thrown as plain data: the entry point has the class of errors.
 */
import { abortReason, abortWith, untilAborted } from "../common/abort.js";
import { describe } from "../common/describe.js";
import type { ErrorCode, Failure } from "../common/errors.js";
import type { AuthTokenContext, GetAuthToken } from "./client-options.js";
import type { RequestSession } from "./session-request.js";
import { readClaims, type Session } from "./token.js";

/** The options of a signed-in session. */
export interface SignedInOptions {
  getAuthToken: GetAuthToken;
  appId: string;
  /** How long the callback may take, in milliseconds. */
  timeoutMs: number;
  /** Called after the first token. */
  onSignedIn: () => void;
}

function fail(code: ErrorCode, detail: string, cause?: unknown): never {
  throw { code, detail, cause } satisfies Failure & { cause: unknown };
}

/** Returns a function that gets the user's token. */
export function signedInSession({
  getAuthToken,
  appId,
  timeoutMs,
  onSignedIn,
}: SignedInOptions): RequestSession {
  let isSignedIn = false;
  return async ({ token, isRefused, signal }) => {
    const reason = isRefused ? "refused" : token === undefined ? "session" : "renewal";
    const session = readToken(await call(getAuthToken, reason, signal, timeoutMs), appId);
    if (!isSignedIn && !signal.aborted) {
      isSignedIn = true;
      onSignedIn();
    }
    return { session, source: "callback", serverMs: signersClockMs(session.token) };
  };
}

/** Calls the callback, in limited time. */
async function call(
  getAuthToken: GetAuthToken,
  reason: AuthTokenContext["reason"],
  signal: AbortSignal,
  timeoutMs: number,
): Promise<unknown> {
  if (signal.aborted) throw abortReason(signal);
  const over = new AbortController();
  const abort = () => abortWith(over, abortReason(signal));
  signal.addEventListener("abort", abort);
  const timedOut = `It did not settle within ${timeoutMs} ms.`;
  const timer = setTimeout(() => abortWith(over, new DOMException(timedOut, "TimeoutError")), timeoutMs);
  try {
    // A callback that throws at once rejects.
    const calling = (async () => getAuthToken({ reason, signal: over.signal }))();
    return await untilAborted(calling, over.signal);
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    return fail("auth_token_failed", over.signal.aborted ? timedOut : describe(error), error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** Reads a token as the server will; only the server can verify its signature. */
function readToken(token: unknown, appId: string): Session {
  const invalid = (problem: string) => fail("auth_token_invalid", problem);
  if (typeof token !== "string")
    return invalid(`It is ${token === null ? "null" : typeof token}, not a string.`);
  const claims = token.split(".").length === 3 ? readClaims(token) : undefined;
  if (!claims) return invalid("It is not a JWT.");
  const { sub, iat, exp } = claims;
  if (typeof sub !== "string" || sub === "") return invalid("The JWT has no `sub`.");
  // The server keeps the names of anonymous visitors and of users apart.
  if (sub.startsWith("anon_")) return invalid("The JWT's `sub` must not begin with anon_.");
  if (!isTime(iat) || !isTime(exp)) return invalid("The JWT's `iat` and `exp` must be Unix seconds.");
  if (exp <= iat) return invalid("The JWT's `exp` is not after its `iat`.");
  return { token, expiresAt: new Date(exp * 1000).toISOString(), userId: sub, appId, kind: "signed_in" };
}

/** Whether a claim is a time that a date can hold. */
const isTime = (value: unknown): value is number =>
  typeof value === "number" && !Number.isNaN(new Date(value * 1000).getTime());

/**
 * Returns the time of the server that signed the token, as far as the page can know it: the page's own clock, unless the token
 * would not be valid by that. Then the page's clock is wrong, and the token was issued just now.
 */
function signersClockMs(token: string): number {
  const { iat, exp } = readClaims(token) as { iat: number; exp: number };
  const now = Date.now();
  return now < iat * 1000 || now >= exp * 1000 ? iat * 1000 : now;
}
