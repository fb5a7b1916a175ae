// Every entry point without React, with values that may be undefined: what `exactOptionalPropertyTypes` is strict about.
import {
  type Challenge,
  type Client,
  type ClientOptions,
  createClient,
  type KeyValueStore,
  solve,
} from "saltmine";
import { solveChallenge } from "saltmine/altcha-lib";
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
  maxNumber: maybe,
  timeoutMs: maybe,
  origin: maybe,
  fetch: maybe,
  onEvent: maybe,
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
}).then((result) => result.number);
export const token: Promise<string> = client.session({ signal: maybe }).then((session) => session.token);
export const { promise, controller } = solveChallenge("", "");
controller.abort();
client.dispose();
