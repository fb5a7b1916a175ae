/**
 * The two routes that a client asks, on a server of Node's own: right by default, and as wrong as a test wants. Only
 * for faults that the reference server does not have, and for measurements.
 */
import { randomUUID } from "node:crypto";
import { createChallenge, verifySolution } from "altcha-lib";
import { listen } from "./http.mjs";

export const APP_ID = "app_0123456789abcdef";
export const HMAC_KEY = "a key for these tests alone, of 32 characters and more";
const SOLUTION = "x-inkeep-challenge-solution";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, x-inkeep-app-id, x-inkeep-challenge-solution",
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
  "access-control-expose-headers": "date, retry-after, x-request-id",
};

/** A token as the service makes it, with any claims replaced; its signature is nobody's. */
export function makeToken(claims = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const all = { iss: "inkeep", sub: `anon_${randomUUID()}`, app: APP_ID, type: "anonymous", ...claims };
  return `${part({ alg: "HS256", typ: "JWT" })}.${part(all)}.${"s".repeat(43)}`;
}

/** A challenge that its server can verify; `options` are altcha-lib's. */
export function makeChallenge(options = {}) {
  const expires = new Date(Date.now() + 300_000);
  return createChallenge({ hmacKey: HMAC_KEY, maxNumber: 5_000, expires, ...options });
}

/** 30 days from now, or `ms`. */
export const inTheFuture = (ms = 30 * 86_400_000) => new Date(Date.now() + ms).toISOString();

/** The solution of a request, out of the envelope that the route of the challenge asks for; nothing if there is none. */
export function solutionOf({ headers }) {
  const header = headers[SOLUTION];
  if (header === undefined) return undefined;
  const { payload } = JSON.parse(Buffer.from(header, "base64"));
  return payload ?? header;
}

/** The response with a session, whatever the request had. */
export const granted = () => ({ body: { token: makeToken(), expiresAt: inTheFuture() } });

/** The right answers. */
export const right = {
  preflight: () => ({ status: 204 }),
  challenge: async () => ({ body: await makeChallenge() }),
  session: async (request) => {
    const solution = solutionOf(request);
    if (solution && !(await verifySolution(solution, HMAC_KEY))) return problem(400, "pow_invalid");
    return granted();
  },
};

/** A refusal as the protocol writes it. */
export function problem(status, reason, detail = "What the server says about it.") {
  const body = {
    title: "Refused",
    status,
    detail,
    code: "bad_request",
    requestId: "r1",
    ...(reason && { reason }),
  };
  return { status, type: "application/problem+json", body };
}

/**
 * Starts it. Routes answer as `listen` wants it, and may be replaced while it runs: `service.routes`. Every other
 * path is left to `otherwise(path)`.
 */
export async function startService(routes = {}, { cors = true, otherwise = () => NOT_FOUND } = {}) {
  const service = { routes: { ...right, ...routes }, requests: [] };
  const answer = (request, response, path) => {
    if (request.method === "OPTIONS") return service.routes.preflight();
    const name = routeOf(request.method, path);
    if (!name) return otherwise(path);
    service.requests.push({ name, path, headers: request.headers });
    return service.routes[name](request, response);
  };
  const { origin, sent, close } = await listen(answer, { "cache-control": "no-store", ...(cors && CORS) });
  return Object.assign(service, { baseUrl: origin, sent, close });
}

const NOT_FOUND = { status: 404, type: "text/plain", body: "Not found" };

function routeOf(method, path) {
  if (method === "GET" && path.endsWith("/run/auth/challenge")) return "challenge";
  if (method === "POST" && /\/run\/auth\/apps\/[^/]+\/anonymous-session$/.test(path)) return "session";
  return undefined;
}
