/** Known challenges and their numbers, the same for every implementation and every environment. */
import { readFileSync } from "node:fs";

const file = JSON.parse(readFileSync(new URL("../vectors/altcha-v1.json", import.meta.url), "utf8"));

/** `{ number, ...challenge }`; a `number` of null has no solution. */
export const vectors = file.vectors;
/** The key of their signatures. */
export const vectorsHmacKey = file.hmacKey;
/** A challenge like the deployed service's, whose search takes a while but not long. */
export const usual = vectors.find((vector) => vector.algorithm === "SHA-256" && vector.number > 900);

/** A challenge of version 2 that a few keys solve. */
export const KEY_CHALLENGE = {
  parameters: {
    algorithm: "PBKDF2/SHA-256",
    cost: 10,
    keyLength: 32,
    keyPrefix: "00",
    nonce: "00112233445566778899aabbccddeeff",
    salt: "ffeeddccbbaa99887766554433221100",
  },
};
