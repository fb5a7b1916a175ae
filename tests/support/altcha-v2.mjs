/** Challenges of version 2, their key derivations by other implementations, and payloads. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { argon2id } from "hash-wasm";
import { createChallenge, verifySolution } from "altcha-lib-2";
import { deriveKey as pbkdf2 } from "altcha-lib-2/algorithms/pbkdf2";
import { deriveKey as scrypt } from "altcha-lib-2/algorithms/scrypt";
import { deriveKey as sha } from "altcha-lib-2/algorithms/sha";
import { root } from "./paths.mjs";

const run = promisify(execFile);

/** The shared vectors, and the secrets of their signatures. */
export const { vectors, secrets } = JSON.parse(
  readFileSync(new URL("../vectors/altcha-v2.json", import.meta.url), "utf8"),
);

/** Every algorithm with parameters that a test can afford. */
export const CHEAP = {
  "SHA-256": { cost: 20 },
  "SHA-384": { cost: 20, keyLength: 48 },
  "SHA-512": { cost: 20, keyLength: 64 },
  "PBKDF2/SHA-256": { cost: 50 },
  "PBKDF2/SHA-384": { cost: 50 },
  "PBKDF2/SHA-512": { cost: 50 },
  SCRYPT: { cost: 64, memoryCost: 2 },
  ARGON2ID: { cost: 1, memoryCost: 64 },
};

/** Argon2id by hash-wasm, which the widget uses too: altcha-lib's needs Node 24.7. */
const argon2 = async ({ cost, memoryCost, parallelism, keyLength }, salt, password) => ({
  derivedKey: await argon2id({
    password,
    salt,
    iterations: cost,
    memorySize: memoryCost,
    parallelism: parallelism ?? 1,
    hashLength: keyLength,
    outputType: "binary",
  }),
});

/** altcha-lib's derivation of an algorithm. */
export const deriveKeyOf = (algorithm) =>
  ({ SCRYPT: scrypt, ARGON2ID: argon2 })[algorithm] ?? (algorithm.startsWith("PBKDF2") ? pbkdf2 : sha);

const hmac = { hmacSignatureSecret: "a secret of this test", hmacKeySignatureSecret: "another secret" };

/** A challenge by altcha-lib 2.8. */
export const theirChallenge = (algorithm, options = {}) =>
  createChallenge({ algorithm, deriveKey: deriveKeyOf(algorithm), ...hmac, ...CHEAP[algorithm], ...options });

/** Whether altcha-lib 2.8 verifies a solution of its own challenge, by the key's signature and by deriving the key. */
export async function theyVerify(challenge, solution) {
  const deriveKey = deriveKeyOf(challenge.parameters.algorithm);
  const { hmacSignatureSecret } = hmac;
  const results = [
    await verifySolution({ challenge, solution, deriveKey, ...hmac }),
    await verifySolution({ challenge, solution, deriveKey, hmacSignatureSecret }),
  ];
  return results.every(({ verified }) => verified);
}

const example = async (...args) => {
  const cargo = ["run", "--quiet", "-p", "saltmine-protocol", "--example", "issue_and_verify", "--", ...args];
  const { stdout } = await run("cargo", cargo.map(String), { cwd: root });
  return stdout.trim();
};

/** A challenge by `crates/protocol`. */
export async function ourChallenge(algorithm, counter) {
  const { cost, memoryCost = 0 } = CHEAP[algorithm];
  return JSON.parse(await example("issue", algorithm, cost, memoryCost, counter));
}

/** Returns the result of `crates/protocol` for a payload. */
export const weVerify = (payload) => example("verify", payload);

/** The payload of a solution, as the widget writes it. */
export const payloadOf = ({ parameters, signature }, solution) =>
  btoa(JSON.stringify({ challenge: { parameters, signature }, solution }));
