/** A challenge of ALTCHA version 2: its types, and the strict reading of its parameters. */
import type { Failure } from "../common/errors.js";

/** The `parameters` of a {@link ChallengeV2}. Optional members may be `null`. */
export interface ChallengeParameters {
  /**
   * `PBKDF2/SHA-256`, `PBKDF2/SHA-384`, `PBKDF2/SHA-512`, `SHA-256`, `SHA-384`, `SHA-512`, `SCRYPT` or `ARGON2ID`, in
   * exactly this letter case.
   */
  algorithm: string;
  /** Hex digits of the bytes before the counter. */
  nonce: string;
  /** Hex digits of the salt. */
  salt: string;
  /** Iterations; for scrypt N, for Argon2id the number of passes. */
  cost: number;
  /** The length of the key in bytes; 32 when absent. */
  keyLength?: number | null | undefined;
  /** The hex digits with which the key must begin. */
  keyPrefix: string;
  /** The block size r of scrypt, the KiB of Argon2id. */
  memoryCost?: number | null | undefined;
  /** The parallelism of scrypt and Argon2id; 1 when absent. */
  parallelism?: number | null | undefined;
}

/** A challenge of ALTCHA version 2 as the server sends it. */
export interface ChallengeV2 {
  /** The parameters of the search. Members beside those of {@link ChallengeParameters} are allowed. */
  parameters: ChallengeParameters;
  /** Hex HMAC of the parameters. */
  signature?: string | null | undefined;
}

/** The wasm module that has an algorithm. */
export type ModuleName = "sha" | "scrypt" | "argon2id";

/** Validated parameters. */
export interface KeyParameters {
  algorithm: string;
  module: ModuleName;
  nonce: Uint8Array;
  salt: Uint8Array;
  cost: number;
  memoryCost: number;
  parallelism: number;
  keyLength: number;
  /** In lower case. */
  keyPrefix: string;
  /** The counter is written in decimal digits, as version 1 does. */
  isDecimal: boolean;
}

/** The algorithms and the longest key of each, in bytes. */
const ALGORITHMS = new Map<string, [ModuleName, number]>([
  ["SHA-256", ["sha", 32]],
  ["SHA-384", ["sha", 48]],
  ["SHA-512", ["sha", 64]],
  ["PBKDF2/SHA-256", ["sha", 1024]],
  ["PBKDF2/SHA-384", ["sha", 1024]],
  ["PBKDF2/SHA-512", ["sha", 1024]],
  ["SCRYPT", ["scrypt", 1024]],
  ["ARGON2ID", ["argon2id", 1024]],
]);

/** The names of all algorithms. */
export const ALGORITHM_NAMES: readonly string[] = [...ALGORITHMS.keys()];

const MAX_KEY_LENGTH = 1024;
const MAX_UINT32 = 2 ** 32 - 1;

/**
 * Reads the parameters. Throws a {@link Failure} that names the first member that is missing or invalid. The rules are
 * those of `saltmine_protocol::v2::Parameters`.
 */
export function readParameters(challenge: unknown, isDecimal = false): KeyParameters {
  const given = Object(memberOf(challenge, "parameters")) as Record<string, unknown>;
  const algorithm = memberOf(given, "algorithm");
  if (typeof algorithm !== "string") throw malformed("algorithm");
  const known = ALGORITHMS.get(algorithm);
  if (!known) throw { code: "algorithm_unsupported", field: "parameters.algorithm" } satisfies Failure;
  const [module, longest] = known;
  const isMemoryHard = module !== "sha";
  const whole = (name: string, fallback?: number) => {
    const value = memberOf(given, name) ?? fallback;
    const isWhole = typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_UINT32;
    if (!isWhole) throw malformed(name);
    return value;
  };
  const nonce = hexMember(given, "nonce");
  const salt = hexMember(given, "salt");
  const cost = whole("cost");
  const memoryCost = isMemoryHard ? whole("memoryCost") : 0;
  const parallelism = isMemoryHard ? whole("parallelism", 1) : 1;
  const keyLength = Math.min(whole("keyLength", 32), longest === 1024 ? MAX_UINT32 : longest);
  const keyPrefix = memberOf(given, "keyPrefix");
  if (keyLength > MAX_KEY_LENGTH) throw malformed("keyLength");
  if (algorithm === "SCRYPT") {
    if (cost < 2 || Math.log2(cost) % 1 !== 0) throw malformed("cost");
    if (memoryCost * parallelism >= 2 ** 30) throw malformed("memoryCost");
  }
  if (algorithm === "ARGON2ID") {
    if (parallelism >= 2 ** 24 || memoryCost < parallelism * 8) throw malformed("memoryCost");
    if (keyLength < 4) throw malformed("keyLength");
    if (salt.length < 8) throw malformed("salt");
  }
  // A challenge of version 1 has its salt in the nonce's place, which may be empty there.
  if (nonce.length === 0 && !isDecimal) throw malformed("nonce");
  if (typeof keyPrefix !== "string" || !/^[0-9a-f]+$/i.test(keyPrefix) || keyPrefix.length > keyLength * 2)
    throw malformed("keyPrefix");
  return {
    algorithm,
    module,
    nonce,
    salt,
    cost,
    memoryCost,
    parallelism,
    keyLength,
    keyPrefix: keyPrefix.toLowerCase(),
    isDecimal,
  };
}

/** The memory of one search, in bytes. With SIMD, scrypt derives two keys at a time. */
export const memoryBytes = ({ module, cost, memoryCost }: KeyParameters): number =>
  module === "scrypt" ? 256 * cost * memoryCost : memoryCost * 1024;

function memberOf(object: unknown, name: string): unknown {
  try {
    return (Object(object) as Record<string, unknown>)[name];
  } catch (cause) {
    throw { ...malformed(name), cause };
  }
}

function hexMember(given: Record<string, unknown>, name: string): Uint8Array {
  const digits = memberOf(given, name);
  if (typeof digits !== "string" || !/^(?:[0-9a-f]{2})*$/i.test(digits)) throw malformed(name);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const malformed = (name: string) =>
  ({ code: "challenge_malformed", field: `parameters.${name}` }) satisfies Failure;
