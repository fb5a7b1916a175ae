/**
 * A service whose clock, lifetimes and faults a test sets: it keeps a visitor's `sub` as the reference server does, but
 * lives in whatever year the test says.
 */
import { verifySolution } from "altcha-lib";
import { APP_ID, HMAC_KEY, makeChallenge, makeToken, problem, solutionOf, startService } from "./service.mjs";

const DAY_MS = 86_400_000;

/**
 * `now()` is the server's time; `lifetimeMs` of a session, `challengeMs` of a challenge. All three may be replaced on
 * the service while it runs. `hideDate`: its clock cannot be read from the responses.
 */
export async function startTimedService({
  now = Date.now,
  lifetimeMs = 30 * DAY_MS,
  challengeMs = 300_000,
  hideDate = false,
  ...routes
} = {}) {
  const time = { now, lifetimeMs, challengeMs };
  let made = 0;
  const headers = () => ({
    date: new Date(time.now()).toUTCString(),
    ...(hideDate && { "access-control-expose-headers": "x-none" }),
  });
  const service = await startService({
    challenge: async () => ({
      headers: headers(),
      body: await makeChallenge({ expires: new Date(time.now() + time.challengeMs) }),
    }),
    session: async (request) => {
      const solution = solutionOf(request);
      if (solution && !(await verifySolution(solution, HMAC_KEY, false)))
        return { ...problem(400, "pow_invalid"), headers: headers() };
      const old = claimsOf(request.headers.authorization);
      const nowSeconds = Math.floor(time.now() / 1000);
      const exp = nowSeconds + time.lifetimeMs / 1000;
      const kept = old?.app === APP_ID && old.exp > nowSeconds ? { sub: old.sub } : {};
      const claims = { iat: nowSeconds, exp, jti: ++made, ...kept };
      return {
        headers: headers(),
        body: { token: makeToken(claims), expiresAt: new Date(exp * 1000).toISOString() },
      };
    },
    ...routes,
  });
  return Object.assign(service, { time, asked: () => service.requests.map(({ name }) => name) });
}

/** Returns the claims of a token, unverified; nothing if it is not a token. */
export function claimsOf(authorization) {
  try {
    return JSON.parse(Buffer.from(authorization.split(".")[1], "base64url"));
  } catch {
    return undefined;
  }
}
