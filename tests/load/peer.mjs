/**
 * The same two routes as a Node server would have them today: node:http, `altcha-lib` for the proof of work, `jose` for
 * the token. Spent challenges are in memory, the fastest place there is: it forgets them with its process.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createChallenge, verifySolution } from "altcha-lib";
import { SignJWT } from "jose";

const HMAC_KEY = process.env.INKEEP_POW_HMAC_SECRET;
const JWT_KEY = new TextEncoder().encode(process.env.INKEEP_ANON_JWT_SECRET);
const MAX_NUMBER = 50_000;
const CHALLENGE_MS = 300_000;
const SESSION_SECONDS = 30 * 86_400;

const apps = new Map([
  [process.env.APP_ID, { tid: "default", pid: "default", domains: ["docs.example.com"] }],
]);
const spent = new Map();

setInterval(() => {
  const now = Date.now();
  for (const [challenge, expires] of spent) if (expires < now) spent.delete(challenge);
}, 30_000).unref();

async function challenge() {
  const expires = new Date(Date.now() + CHALLENGE_MS);
  return [200, await createChallenge({ hmacKey: HMAC_KEY, maxNumber: MAX_NUMBER, expires })];
}

async function session(appId, { origin, "x-inkeep-challenge-solution": solution }) {
  const app = apps.get(appId);
  if (!app) return [404, { reason: "app_not_found" }];
  if (!origin || !app.domains.includes(new URL(origin).hostname))
    return [403, { reason: "origin_not_allowed" }];
  if (!solution) return [400, { reason: "pow_required" }];
  const payload = JSON.parse(atob(solution));
  if (!(await verifySolution(payload, HMAC_KEY))) return [400, { reason: "pow_invalid" }];
  if (spent.has(payload.challenge)) return [400, { reason: "pow_replayed" }];
  spent.set(payload.challenge, Date.now() + CHALLENGE_MS);
  const expires = Math.floor(Date.now() / 1000) + SESSION_SECONDS;
  const token = await new SignJWT({ tid: app.tid, pid: app.pid, app: appId, type: "anonymous" })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer("inkeep")
    .setSubject(`anon_${randomUUID()}`)
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(JWT_KEY);
  return [200, { token, expiresAt: new Date(expires * 1000).toISOString() }];
}

const SESSION = /^\/run\/auth\/apps\/([^/]+)\/anonymous-session$/;

async function answer(request) {
  if (request.method === "GET" && request.url === "/run/auth/pow/challenge") return challenge();
  const [, appId] = (request.method === "POST" && SESSION.exec(request.url)) || [];
  return appId ? session(appId, request.headers) : [404, { reason: "route_not_found" }];
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request).catch(() => [400, { reason: "pow_invalid" }]);
  response
    .writeHead(status, { "content-type": "application/json", "cache-control": "no-store" })
    .end(JSON.stringify(body));
});
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
