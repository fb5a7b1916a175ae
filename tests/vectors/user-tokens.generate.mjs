/**
 * Writes user-tokens.json: keys, and tokens of signed-in users that `jose` and Node's own cryptography made.
 *
 *   node tests/vectors/user-tokens.generate.mjs
 *
 * Each case is one token and what the server makes of it: `sub` and `claims`, or the words of the refusal. Keys are new
 * on every run, and the private ones are not kept.
 */
import { createHmac, generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { exportSPKI, generateKeyPair, SignJWT } from "jose";

/** The time of the tests' clock, in Unix seconds. */
const NOW = 1_790_000_000;
const AUDIENCE = "saltmine-tests";
const ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"];

const keys = {};
for (const alg of ALGORITHMS) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  keys[alg] = { kid: `key-${alg}`, alg, privateKey, pem: await exportSPKI(publicKey) };
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = (changes = {}) => ({
  sub: "user_1",
  iat: NOW,
  exp: NOW + 3600,
  aud: AUDIENCE,
  ...changes,
});

/** A token; a claim or a member of the header that is `undefined` is left out. */
function sign(changes = {}, { alg = "ES256", header = {}, key = keys[alg].privateKey, crit } = {}) {
  const protectedHeader = JSON.parse(JSON.stringify({ alg, kid: `key-${alg}`, typ: "JWT", ...header }));
  const payload = JSON.parse(JSON.stringify(claims(changes)));
  return new SignJWT(payload).setProtectedHeader(protectedHeader).sign(key, { crit });
}

const cases = [];
const accept = (name, token, expected = {}, more = {}) =>
  cases.push({ name, token, sub: "user_1", claims: {}, ...expected, ...more });
const refuse = (name, token, error, more = {}) => cases.push({ name, token, error, ...more });

for (const alg of ALGORITHMS) {
  const profile = { name: "Ada", plan: "team", roles: ["admin"] };
  accept(`${alg}: signed by jose`, await sign(profile, { alg }), { claims: profile });
  const token = await sign({}, { alg });
  const [head, body, signature] = token.split(".");
  const mismatch = "its signature does not match its key";
  refuse(`${alg}: other claims`, `${head}.${part(claims({ sub: "user_2" }))}.${signature}`, mismatch);
  const bytes = Buffer.from(signature, "base64url");
  bytes[bytes.length - 1] ^= 1;
  refuse(`${alg}: one bit of the signature`, `${head}.${body}.${bytes.toString("base64url")}`, mismatch);
  refuse(`${alg}: no signature`, `${head}.${body}.`, mismatch);
  refuse(`${alg}: a short signature`, `${head}.${body}.${signature.slice(0, 40)}`, mismatch);
  const foreign = await generateKeyPair(alg);
  refuse(`${alg}: a foreign key`, await sign({}, { alg, key: foreign.privateKey }), mismatch);
}
accept(
  "Ed25519, as RFC 9864 calls EdDSA",
  await sign({}, { alg: "Ed25519", header: { kid: "key-EdDSA" }, key: keys.EdDSA.privateKey }),
);

// The header.
const es256 = await sign();
const [, body] = es256.split(".");
const hmac = (header) => {
  const message = `${part(header)}.${body}`;
  return `${message}.${createHmac("sha256", keys.RS256.pem).update(message).digest("base64url")}`;
};
refuse(
  "alg none",
  `${part({ alg: "none", kid: "key-ES256" })}.${body}.`,
  "its `alg` must be ES256, the algorithm of its key",
);
refuse(
  "an HMAC with the public key",
  hmac({ alg: "HS256", kid: "key-RS256" }),
  "its `alg` must be RS256, the algorithm of its key",
);
refuse(
  "another algorithm than the key's",
  await sign({}, { alg: "RS512", header: { kid: "key-RS256" } }),
  "its `alg` must be RS256, the algorithm of its key",
);
refuse(
  "no kid",
  await sign({}, { header: { kid: undefined } }),
  "its header must have a `kid`, the name of a key of this app",
);
refuse(
  "an unknown kid",
  await sign({}, { header: { kid: "key-of-another" } }),
  "this app has no key with its `kid`",
);
refuse(
  "an extension",
  await sign({}, { header: { crit: ["x"], x: 1 }, crit: { x: true } }),
  "its header has `crit`, and the server knows no extensions",
);
const malformed = "it must be three base64url parts, a header and claims in JSON and a signature";
refuse("two parts", es256.split(".").slice(0, 2).join("."), malformed);
refuse("four parts", `${es256}.x`, malformed);
refuse("a padded signature", `${es256}==`, malformed);
refuse("a header that is no JSON", `${Buffer.from("{").toString("base64url")}.${body}.AAAA`, malformed);
refuse("a text", "not-a-token", malformed);
refuse("too long", `${es256}${"A".repeat(8192)}`, "it must have at most 8192 bytes");

// The claims.
const sub = "its claim `sub` must be a text of 1 to 255 characters";
for (const [name, value] of [
  ["missing", undefined],
  ["a number", 7],
  ["empty", ""],
  ["too long", "x".repeat(256)],
  ["with a line break", "a\nb"],
  ["with U+0000", "a\0b"],
]) {
  refuse(`sub ${name}`, await sign({ sub: value }), sub);
}
accept("the longest sub", await sign({ sub: "é".repeat(255) }), { sub: "é".repeat(255) });
refuse(
  "a sub of an anonymous visitor",
  await sign({ sub: "anon_1" }),
  "its `sub` must not begin with `anon_`",
);
for (const claim of ["iat", "exp", "nbf"]) {
  const error = `its claim \`${claim}\` must be a number of seconds since 1970`;
  if (claim !== "nbf") refuse(`${claim} missing`, await sign({ [claim]: undefined }), error);
  refuse(`${claim} is a text`, await sign({ [claim]: String(NOW) }), error);
}
accept("fractions of a second", await sign({ iat: NOW + 0.5, exp: NOW + 10.5, nbf: NOW - 0.5 }));
accept("valid for a day", await sign({ exp: NOW + 86_400 }));
refuse(
  "valid for longer than a day",
  await sign({ exp: NOW + 86_401 }),
  "its `exp` must be at most 86400 s (1 day) after its `iat`",
);
accept("iat 60 s ahead", await sign({ iat: NOW + 60 }));
refuse("iat 61 s ahead", await sign({ iat: NOW + 61 }), "its `iat` is in the future");
accept("nbf 60 s ahead", await sign({ nbf: NOW + 60 }));
refuse("nbf 61 s ahead", await sign({ nbf: NOW + 61 }), "its `nbf` is in the future");
accept("59 s after its expiry", await sign({ exp: NOW + 41 }), {}, { at: 100 });
refuse("60 s after its expiry", await sign({ exp: NOW + 40 }), "it has expired", { at: 100 });

// The audience.
const audience = "its `aud` must contain the audience of this app";
accept("an audience among others", await sign({ aud: ["other", AUDIENCE] }));
refuse("another audience", await sign({ aud: "other" }), audience);
refuse("other audiences", await sign({ aud: ["other", `${AUDIENCE}2`] }), audience);
refuse("no audience", await sign({ aud: undefined }), audience);
accept("any audience for an app without one", await sign({ aud: "other" }), {}, { audience: null });
accept("no audience for an app without one", await sign({ aud: undefined }), {}, { audience: null });

// Claims that the agent receives, and claims that it does not.
const withheld = {
  iss: "https://issuer.example",
  jti: "1",
  nbf: NOW,
  tid: "t",
  pid: "p",
  agentId: "a",
  internal: true,
};
accept("claims that are withheld", await sign({ ...withheld, email: "ada@example.com" }), {
  claims: { email: "ada@example.com" },
});
const fits = { text: "é".repeat(1024 - '{"text":""}'.length) };
accept("1024 characters of claims", await sign(fits), { claims: fits });
refuse(
  "1025 characters of claims",
  await sign({ text: `${fits.text}x` }),
  "the JSON of its other claims must have at most 1024 characters",
);

// Keys that the server refuses.
const pair = (type, options = {}) =>
  generateKeyPairSync(type, {
    ...options,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
const rsa1024 = pair("rsa", { modulusLength: 1024 });
const rsa2048 = pair("rsa", { modulusLength: 2048 });
const { publicKey: pkcs1 } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "pkcs1", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});
const must = "must be a PEM that begins with -----BEGIN PUBLIC KEY-----";
const needs = {
  RS256: "must be an RSA key of 2048 to 8192 bits, which RS256 needs",
  ES256: "must be a key on the curve P-256, which ES256 needs",
  ES384: "must be a key on the curve P-384, which ES384 needs",
  ES512: "must be a key on the curve P-521, which ES512 needs",
  EdDSA: "must be an Ed25519 key, which EdDSA needs",
};
const refusedKeys = [
  [
    "a private key",
    "RS256",
    rsa2048.privateKey,
    `${must}: this is a private key, which must stay on your server`,
  ],
  ["PKCS #1", "RS256", pkcs1, `${must}, not -----BEGIN RSA PUBLIC KEY-----`],
  [
    "another label",
    "RS256",
    rsa2048.publicKey.replaceAll("PUBLIC KEY", "CERTIFICATE"),
    `${must}, not -----BEGIN CERTIFICATE-----`,
  ],
  ["no PEM", "RS256", "ssh-rsa AAAA", must],
  ["a PEM that breaks off", "RS256", rsa2048.publicKey.slice(0, 200), must],
  [
    "a PEM of something else",
    "ES256",
    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    must,
  ],
  ["RSA of 1024 bits", "RS256", rsa1024.publicKey, needs.RS256],
  ["RSA for RSASSA-PSS", "RS256", pair("rsa-pss", { modulusLength: 2048 }).publicKey, needs.RS256],
  ["a curve for RS256", "RS256", keys.ES256.pem, needs.RS256],
  ["RSA for ES256", "ES256", rsa2048.publicKey, needs.ES256],
  ["P-384 for ES256", "ES256", keys.ES384.pem, needs.ES256],
  ["secp256k1 for ES256", "ES256", pair("ec", { namedCurve: "secp256k1" }).publicKey, needs.ES256],
  ["P-256 for ES384", "ES384", keys.ES256.pem, needs.ES384],
  ["P-384 for ES512", "ES512", keys.ES384.pem, needs.ES512],
  ["X25519 for EdDSA", "EdDSA", pair("x25519").publicKey, needs.EdDSA],
  ["Ed448 for EdDSA", "EdDSA", pair("ed448").publicKey, needs.EdDSA],
  ["Ed25519 for RS256", "RS256", keys.EdDSA.pem, needs.RS256],
].map(([name, algorithm, publicKey, problem]) => ({ name, algorithm, publicKey, problem }));

const file = {
  now: NOW,
  audience: AUDIENCE,
  keys: Object.values(keys).map(({ kid, alg, pem }) => ({ kid, algorithm: alg, publicKey: pem })),
  cases,
  refusedKeys,
};
await writeFile(new URL("user-tokens.json", import.meta.url), `${JSON.stringify(file, null, 2)}\n`);
