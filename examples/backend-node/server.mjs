/**
 * Issues ALTCHA v1 challenges and accepts each solution once. Node's standard library only.
 *
 * ALTCHA_SECRET=… PORT=8080 node server.mjs
 */
import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const SECRET = process.env.ALTCHA_SECRET ?? "";
if (SECRET.length < 32) throw new Error("Set ALTCHA_SECRET to at least 32 random characters.");

const MAX_NUMBER = 50_000;
const LIFETIME_SECONDS = 600;
const MAX_PAYLOAD_BYTES = 4096;

/**
 * The digests of solutions that were accepted, with their expiry. Several processes need a shared store: a table whose
 * primary key is the digest, and one INSERT for each solution.
 */
const accepted = new Map();

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const sign = (text) => createHmac("sha256", SECRET).update(text).digest("hex");
const equals = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
const now = () => Math.floor(Date.now() / 1000);

function createChallenge() {
  const salt = `${randomBytes(12).toString("hex")}?expires=${now() + LIFETIME_SECONDS}&`;
  const challenge = sha256(salt + randomInt(1, MAX_NUMBER + 1));
  return { algorithm: "SHA-256", challenge, maxnumber: MAX_NUMBER, salt, signature: sign(challenge) };
}

/** Returns what is wrong with a payload, or undefined. A payload that was accepted once is refused afterwards. */
function refuse(payload) {
  if (payload.length > MAX_PAYLOAD_BYTES) return "too long";
  const text = Buffer.from(payload, "base64").toString();
  let solution;
  try {
    solution = JSON.parse(text);
  } catch {
    return "not JSON";
  }
  const { algorithm, challenge, number, salt, signature } = Object(solution);
  if (![challenge, salt, signature].every((member) => typeof member === "string"))
    return "a member is missing";
  if (algorithm !== "SHA-256") return "another algorithm";
  // Only canonical decimals: otherwise characters could move between the salt and the number (CVE-2025-68113).
  if (!Number.isSafeInteger(number) || number < 0) return "number is not an integer";
  const expires = /^[0-9a-f]+\?expires=([0-9]{1,12})&$/.exec(salt);
  if (!expires) return "another salt";
  const digest = sha256(salt + number);
  if (!equals(digest, challenge) || !equals(sign(digest), signature)) return "wrong solution";
  if (Number(expires[1]) < now()) return "expired";
  // The digest identifies the challenge, however the payload is written.
  if (accepted.has(digest)) return "used before";
  accepted.set(digest, Number(expires[1]));
  return undefined;
}

setInterval(() => {
  for (const [digest, expires] of accepted) if (expires < now()) accepted.delete(digest);
}, 60_000).unref();

const server = createServer(async (request, response) => {
  const reply = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    response.end(JSON.stringify(body));
  };
  if (request.method === "GET" && request.url === "/challenge") return reply(200, createChallenge());
  if (request.method !== "POST" || request.url !== "/verify") return reply(404, { error: "not found" });
  let payload = "";
  for await (const chunk of request) {
    payload += chunk;
    if (payload.length > MAX_PAYLOAD_BYTES) break;
  }
  const error = refuse(payload);
  reply(error ? 400 : 200, error ? { error } : { verified: true });
});
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
