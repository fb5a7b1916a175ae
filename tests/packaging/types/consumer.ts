// Every entry point without React, with values that may be undefined: what `exactOptionalPropertyTypes` is strict about.
import {
  type Backend,
  type Challenge,
  type ChallengeV2,
  type Client,
  type ClientEvent,
  type ClientOptions,
  createClient,
  type KeyValueStore,
  solve,
} from "saltmine";
import { solveChallenge } from "saltmine/altcha-lib";
import { ALGORITHMS, type AlgorithmTable, createWorker, registerWorkers } from "saltmine/altcha-workers";
import { createClient as createInline, solve as solveInline } from "saltmine/inline";
import { createClient as createInServiceWorker } from "saltmine/service-worker";

declare const maybe: undefined;

const store: KeyValueStore = {
  getItem: () => null,
  setItem: (_key: string, _value: string) => {},
  removeItem: (_key: string) => {},
};
const options: ClientOptions = {
  baseUrl: "https://api.example.com",
  appId: "app_1",
  challenge: maybe,
  challengePath: maybe,
  getAuthToken: maybe,
  workers: maybe,
  engine: maybe,
  maxNumber: maybe,
  timeoutMs: maybe,
  origin: maybe,
  fetch: maybe,
  onEvent: maybe,
  assetsUrl: maybe,
  storage: store,
};
export const client: Client = createClient(options);
export const inServiceWorker: Client = createInServiceWorker({ ...options, storage: maybe });
export const signedIn: Client = createClient({
  ...options,
  getAuthToken: async ({ reason, signal }) =>
    signal.aborted ? "" : (reason satisfies "session" | "renewal" | "refused"),
});
const challenge: Challenge = {
  algorithm: "SHA-256",
  challenge: "",
  salt: "",
  signature: "",
  maxnumber: maybe,
};
export const number = solve(challenge, {
  signal: maybe,
  onProgress: maybe,
  workers: maybe,
  maxNumber: maybe,
  start: maybe,
  assetsUrl: maybe,
  engine: maybe,
}).then((result) => result.number);
const keyChallenge: ChallengeV2 = {
  parameters: {
    algorithm: "PBKDF2/SHA-256",
    nonce: "00",
    salt: "00",
    cost: 1,
    keyPrefix: "00",
    keyLength: maybe,
    memoryCost: maybe,
    parallelism: maybe,
  },
  signature: "00",
};
export const key = solve(keyChallenge, {
  signal: maybe,
  onProgress: maybe,
  workers: maybe,
  start: maybe,
  maxCounter: maybe,
  assetsUrl: maybe,
  engine: maybe,
}).then((result) => result.derivedKey);
const backend: Backend = { engine: "scalar", thread: "page", reason: maybe };
export const events: ClientEvent[] = [
  { type: "state", state: "failed", backend: maybe, error: maybe },
  { type: "state", state: "ready", backend },
];
export const inline: Client = createInline(options);
export const inlineNumber = solveInline(challenge).then((result) => result.number);
const table: AlgorithmTable = { set: (_algorithm, create) => create };
registerWorkers(table);
table.set(ALGORITHMS[0] ?? "", createWorker);
export const token: Promise<string> = client.session({ signal: maybe }).then((session) => session.token);
export const { promise, controller } = solveChallenge("", "");
controller.abort();
client.dispose();
