/** Challenges of ALTCHA version 2 with a hidden counter, and a solver that must find it. */
import { type Contestant, growing } from "./rival.js";

/** The iterations of PBKDF2 for each key, as the service and the widget's own servers ask for. */
export const COST = 5_000;
/** A first search takes so many keys. */
const FIRST = 20;

const ALGORITHM = "PBKDF2/SHA-256";

/** A challenge whose key at one counter begins with the prefix. */
export interface KeyChallenge {
  parameters: {
    algorithm: string;
    cost: number;
    keyLength: number;
    keyPrefix: string;
    nonce: string;
    salt: string;
  };
}

/** Finds the counter of a challenge. `ms` is how long it derived keys, for as many as the counter needs. */
export type FindCounter = (
  challenge: KeyChallenge,
  counter: number,
) => Promise<{ counter: number; ms: number }>;

/** A solver that takes its turns with new challenges. */
export function keyContestant(find: FindCounter): Contestant {
  const measure = async (_salt: string, last: number) => {
    const { counter, ms } = await find(await makeKeyChallenge(last), last);
    if (counter !== last) throw new Error(`It found ${counter} where ${last} was hidden.`);
    return ms;
  };
  return { measure, warmUp: growing(measure, FIRST) };
}

async function makeKeyChallenge(counter: number): Promise<KeyChallenge> {
  const nonce = crypto.getRandomValues(new Uint8Array(16));
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const password = new Uint8Array(20);
  password.set(nonce);
  new DataView(password.buffer).setUint32(16, counter);
  const material = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const options = { name: "PBKDF2", hash: "SHA-256", salt, iterations: COST };
  const key = new Uint8Array(await crypto.subtle.deriveBits(options, material, 256));
  const [keyPrefix, nonceHex, saltHex] = [key.subarray(0, 16), nonce, salt].map(hex) as [
    string,
    string,
    string,
  ];
  return {
    parameters: {
      algorithm: ALGORITHM,
      cost: COST,
      keyLength: 32,
      keyPrefix,
      nonce: nonceHex,
      salt: saltHex,
    },
  };
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
