/**
 * A simulation of the service that deployed widgets use today: its routes, its shapes, its CORS that exposes nothing, and
 * its refusals, which have no `reason`. Unlike the reference server it has both generations of the challenge route, a
 * challenge behind interaction data, a second verification and challenges for humans.
 */
import { createHmac, createPublicKey, pbkdf2Sync, randomBytes, randomInt, randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { createChallenge, verifySolution } from "altcha-lib";
import { decodeProtectedHeader, exportSPKI, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { listen } from "./http.mjs";
import { problem } from "./todays-problem.mjs";
import { createRunApi } from "./todays-run-api.mjs";

export { problem, rateLimit } from "./todays-problem.mjs";

const APP_ID = "app_0123456789abcdef";
const SECRET = "a secret of 32 characters and more, for this simulation";
const SESSION_S = 30 * 86_400;
const MAX_USER_TOKEN_S = 86_400;

const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64");
const fromBase64 = (text) => JSON.parse(Buffer.from(text, "base64").toString());
const hmac = (text) => createHmac("sha256", SECRET).update(text).digest("hex");

/** An app as the service has it; `allowedDomains` are compared with the host of `Origin`. */
export const makeApp = (members = {}) => ({
  enabled: true,
  type: "web_client",
  allowedDomains: ["*"],
  allowAnonymous: true,
  publicKeys: [],
  audience: undefined,
  ...members,
});

/** A key pair of a customer's backend: the entry for the app's `publicKeys`, and `sign(claims)`. */
export async function makeUserKey(algorithm = "ES256", kid = "key-1") {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const sign = ({ sub = "user-1", iat = Math.floor(Date.now() / 1000), lifetimeS = 3_600, ...claims } = {}) =>
    new SignJWT({ sub, iat, exp: iat + lifetimeS, ...claims })
      .setProtectedHeader({ alg: algorithm, kid, typ: "JWT" })
      .sign(privateKey);
  return { entry: { kid, algorithm, publicKey: await exportSPKI(publicKey) }, sign };
}

/**
 * Starts the service. `routes`: `"newer"`, `"older"` or `"none"` (proof of work is off). `version`: of the challenges of
 * the newer route, 1 or 2. `his`, `verify`, `human`: what a challenge demands in addition. `chatSolutions`: an anonymous
 * visitor's chat messages require a solution too. `apps`: by id. All of them may be
 * replaced while it runs, in `service.settings`. `requests` has every request but preflights: `{ method, path, query,
 * headers, body }`; `stored` has the conversations, events and feedback.
 */
export async function startTodaysService(settings = {}) {
  const service = {
    settings: { routes: "newer", version: 1, apps: { [APP_ID]: makeApp() }, ...settings },
    appId: APP_ID,
    requests: [],
    /** Responses, by path, that a test sets instead of the service's own. */
    refusals: new Map(),
  };
  const spent = new Set();
  const run = createRunApi();

  const answer = async (request, response, path) => {
    const { method, headers } = request;
    if (method === "OPTIONS") return preflight(headers);
    const query = new URL(request.url, "http://localhost").searchParams;
    const body = (await buffer(request)).toString();
    service.requests.push({ method, path, query, headers, body });
    const made =
      service.refusals.get(path)?.(request) ?? (await route({ method, path, query, headers, body }));
    return { ...made, headers: { "access-control-allow-origin": "*", ...made.headers } };
  };

  async function route({ method, path, query, headers, body }) {
    const { routes } = service.settings;
    if (method === "GET" && path === "/run/auth/challenge" && routes !== "older") {
      const refused = refuseApp(query.get("appId"), headers.origin);
      if (refused) return refused;
      if (routes === "none") return problem(404, "Not found");
      if (service.settings.his) return noStore({ his: { url: "/v1/his" } });
      return noStore(await makeChallengeBody());
    }
    if (method === "GET" && path === "/run/auth/pow/challenge" && routes === "older")
      return noStore(await makeV1());
    if (method === "POST" && path === "/v1/his") return interaction(body);
    if (method === "POST" && path === "/v1/verify") return verification(body);
    const [, appId] = /^\/run\/auth\/apps\/([^/]+)\/anonymous-session$/.exec(path) ?? [];
    if (method === "POST" && appId) return session(decodeURIComponent(appId), headers);
    if (path.startsWith("/run/")) return runApi({ method, path, query, headers, body });
    return problem(404, "Not found");
  }

  function refuseApp(appId, origin) {
    const app = service.settings.apps[appId];
    if (!app?.enabled) return problem(404, "App not found");
    if (app.type !== "web_client") return problem(400, "App is not a web client");
    return isAllowed(app, origin) ? undefined : problem(403, "Origin not allowed for this app");
  }

  const makeV1 = () =>
    createChallenge({ hmacKey: SECRET, maxNumber: 2_000, expires: new Date(Date.now() + 600_000) });

  async function makeChallengeBody() {
    const { version, verify, human } = service.settings;
    return {
      ...(version === 2 ? makeV2() : await makeV1()),
      ...(verify && { configuration: { verifyUrl: "/v1/verify" } }),
      ...(human && { codeChallenge: { image: "data:image/png;base64,", length: 6 } }),
    };
  }

  /** Interaction data: an honest client that has none sends empty arrays. */
  async function interaction(body) {
    const { his } = JSON.parse(body);
    const lists = ["focus", "pointer", "scroll", "touch"].map((name) => his?.[name]);
    if (!lists.every((list) => Array.isArray(list) && list.length === 0))
      return problem(403, "Bot protection verification failed");
    return noStore(await makeChallengeBody());
  }

  /** Judges a payload and replaces it by one that the service has signed. */
  async function verification(body) {
    const { payload } = JSON.parse(body);
    if (!(await isSolved(payload))) return { body: { verified: false, reason: "invalid" } };
    const verificationData = `verified=true&id=${randomUUID()}`;
    return {
      body: {
        verified: true,
        payload: base64({
          algorithm: "SHA-256",
          verified: true,
          verificationData,
          signature: hmac(verificationData),
        }),
      },
    };
  }

  /** Whether a payload solves a challenge of this service, for the first time. */
  async function isSolved(payload) {
    let parsed;
    try {
      parsed = fromBase64(payload);
    } catch {
      return false;
    }
    const key = parsed.challenge?.signature ?? parsed.challenge;
    if (spent.has(key)) return false;
    const good = parsed.challenge?.parameters ? isV2Solved(parsed) : await verifySolution(payload, SECRET);
    if (good) spent.add(key);
    return good;
  }

  async function refuseSolution(header) {
    const { routes, verify } = service.settings;
    if (routes === "none") return undefined;
    if (!header) return problem(400, "Bot protection challenge solution is required.");
    const invalid = problem(400, "Bot protection challenge solution is invalid.");
    if (routes === "older") return (await isSolved(header)) ? undefined : invalid;
    let payload;
    try {
      ({ payload } = fromBase64(header));
    } catch {
      return invalid;
    }
    if (typeof payload !== "string") return invalid;
    if (!verify) return (await isSolved(payload)) ? undefined : invalid;
    const { verificationData, signature } = fromBase64(payload);
    return verificationData && signature === hmac(verificationData)
      ? undefined
      : problem(403, "Bot protection verification failed");
  }

  async function session(appId, headers) {
    const app = service.settings.apps[appId];
    if (!app?.enabled) return problem(404, "App not found");
    if (app.type !== "web_client") return problem(400, "App is not a web client");
    if (!app.allowAnonymous) return problem(401, "Anonymous sessions are not allowed for this app");
    if (!isAllowed(app, headers.origin)) return problem(403, "Origin not allowed for this app");
    const refused = await refuseSolution(headers["x-inkeep-challenge-solution"]);
    if (refused) return refused;
    const old = await anonymousClaims(bearerOf(headers));
    const sub = old?.app === appId ? old.sub : `anon_${randomUUID()}`;
    const token = await new SignJWT({ app: appId, type: "anonymous", jti: randomUUID() })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer("inkeep")
      .setSubject(sub)
      .setIssuedAt()
      .setExpirationTime(`${SESSION_S} s`)
      .sign(Buffer.from(SECRET));
    return noStore({ token, expiresAt: new Date(Date.now() + SESSION_S * 1_000).toISOString() });
  }

  /** Returns the caller: signed-in users first, as the service does, then anonymous visitors. */
  async function callerOf(headers) {
    const appId = headers["x-inkeep-app-id"];
    const app = service.settings.apps[appId];
    if (!app?.enabled) return problem(404, "App not found");
    const token = bearerOf(headers);
    const user = await userClaims(app, token);
    if (!isAllowed(app, headers.origin)) return problem(403, "Origin not allowed for this app");
    if (!token) return problem(401, "Bearer token required for web_client app");
    if (user) return { sub: user.sub };
    if (!app.allowAnonymous) return problem(401, "Invalid end-user JWT");
    const visitor = await anonymousClaims(token);
    if (!visitor) return problem(401, "Invalid end-user JWT");
    if (visitor.app !== appId) return problem(401, "JWT app claim does not match request app ID");
    return { sub: visitor.sub };
  }

  async function runApi({ method, path, query, headers, body }) {
    const caller = await callerOf(headers);
    if (!caller.sub) return caller;
    const isMessage = method === "POST" && /^\/run\/(api\/chat|v1\/chat\/completions)$/.test(path);
    const isAsked = isMessage && service.settings.chatSolutions && caller.sub.startsWith("anon_");
    const refused = isAsked && (await refuseSolution(headers["x-inkeep-challenge-solution"]));
    return refused || run.answer({ method, path, query, body }, caller.sub);
  }

  const { origin, sent, close } = await listen(answer);
  return Object.assign(service, {
    baseUrl: origin,
    stored: run.stored,
    sent,
    close,
    paths: () => service.requests.map(({ method, path }) => `${method} ${path}`),
  });
}

/** Whatever the page asks for is allowed; nothing is exposed, and credentials never are. */
const preflight = (headers) => ({
  status: 204,
  headers: {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "access-control-allow-headers": headers["access-control-request-headers"] ?? "authorization",
  },
});

const noStore = (body) => ({ headers: { "cache-control": "no-store" }, body });

function isAllowed({ allowedDomains }, origin) {
  if (allowedDomains.includes("*")) return true;
  return origin !== undefined && origin !== "null" && allowedDomains.includes(new URL(origin).hostname);
}

const bearerOf = (headers) => /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];

async function anonymousClaims(token) {
  try {
    return (await jwtVerify(token, Buffer.from(SECRET), { algorithms: ["HS256"] })).payload;
  } catch {
    return undefined;
  }
}

/** The verified claims of a customer's token; nothing if it is not one. */
async function userClaims({ publicKeys, audience }, token) {
  try {
    const { kid } = decodeProtectedHeader(token);
    const { publicKey, algorithm } = publicKeys.find((key) => key.kid === kid);
    const options = { algorithms: [algorithm], clockTolerance: 60, requiredClaims: ["sub", "iat", "exp"] };
    const { payload } = await jwtVerify(token, createPublicKey(publicKey), { ...options, audience });
    const { sub, iat, exp } = payload;
    return !sub.startsWith("anon_") && exp - iat <= MAX_USER_TOKEN_S ? payload : undefined;
  } catch {
    return undefined;
  }
}

/** The canonical JSON of parameters that have no corners. */
const canonical = (parameters) => JSON.stringify(parameters, Object.keys(parameters).sort());

const derive = ({ nonce, salt, cost, keyLength }, counter) => {
  const password = Buffer.alloc(4);
  password.writeUInt32BE(counter);
  const bytes = Buffer.concat([Buffer.from(nonce, "hex"), password]);
  return pbkdf2Sync(bytes, Buffer.from(salt, "hex"), cost, keyLength, "sha256");
};

/** A deterministic challenge of version 2, cheap enough for a test. */
function makeV2() {
  const open = {
    algorithm: "PBKDF2/SHA-256",
    cost: 50,
    expiresAt: Math.floor(Date.now() / 1_000) + 600,
    keyLength: 32,
    nonce: randomBytes(16).toString("hex"),
    salt: randomBytes(16).toString("hex"),
  };
  const key = derive(open, randomInt(10, 60));
  const parameters = { ...open, keyPrefix: key.toString("hex", 0, 16), keySignature: hmac(key) };
  return { parameters, signature: hmac(canonical(parameters)) };
}

function isV2Solved({ challenge: { parameters, signature }, solution }) {
  if (signature !== hmac(canonical(parameters)) || parameters.expiresAt < Date.now() / 1_000) return false;
  return hmac(Buffer.from(solution.derivedKey, "hex")) === parameters.keySignature;
}
