/** Solutions without the work: whoever knows the secret chooses the number first. */
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

/** Writes so many to a file, one a line. */
export async function writeSolutions(file, secret, count) {
  // As if they had been issued one after the other, ten thousand a second.
  const lines = Array.from({ length: count }, (_, index) =>
    makeSolution(secret, { seconds: 1800 + Math.floor(index / 10_000) }),
  );
  await writeFile(file, `${lines.join("\n")}\n`);
}
