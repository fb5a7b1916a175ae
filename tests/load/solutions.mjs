/** Solutions without the work: with the secret, one can choose the number first. */
import { createHash, createHmac, randomBytes, randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";

/** The value of the solution header for a challenge that a server with this secret would have given out now. */
export function makeSolution(secret, { maxNumber = 50_000, seconds = 1800 } = {}) {
  const expires = Math.floor(Date.now() / 1000) + seconds;
  const salt = `${randomBytes(12).toString("hex")}?expires=${expires}&`;
  const number = randomInt(1, maxNumber + 1);
  const challenge = createHash("sha256").update(`${salt}${number}`).digest("hex");
  const signature = createHmac("sha256", secret).update(challenge).digest("hex");
  return btoa(JSON.stringify({ algorithm: "SHA-256", challenge, number, salt, signature }));
}

/** The same for version 2: with the secret, one can choose the derived key first, and derive none. */
export function makeSolutionV2(secret, { seconds = 1800 } = {}) {
  const hmac = (key, message) => createHmac("sha256", key).update(message).digest("hex");
  const key = randomBytes(32);
  // In the order of their names, as they are signed.
  const parameters = {
    algorithm: "PBKDF2/SHA-256",
    cost: 5000,
    expiresAt: Math.floor(Date.now() / 1000) + seconds,
    keyLength: 32,
    keyPrefix: key.toString("hex").slice(0, 32),
    keySignature: hmac(hmac(secret, "saltmine ALTCHA v2 key signature"), key),
    nonce: randomBytes(16).toString("hex"),
    salt: randomBytes(16).toString("hex"),
  };
  const signature = hmac(hmac(secret, "saltmine ALTCHA v2 signature"), JSON.stringify(parameters));
  const solution = { counter: randomInt(700, 1301), derivedKey: key.toString("hex") };
  return btoa(JSON.stringify({ challenge: { parameters, signature }, solution }));
}

/** Writes so many to a file, one a line. */
export async function writeSolutions(file, secret, count, make = makeSolution) {
  // As if they had been issued one after the other, ten thousand a second.
  const lines = Array.from({ length: count }, (_, index) =>
    make(secret, { seconds: 1800 + Math.floor(index / 10_000) }),
  );
  await writeFile(file, `${lines.join("\n")}\n`);
}
