// A program for browsers: the platform's own types are accepted where the package asks for less.
import { type Client, createClient, solve } from "saltmine";
import { solveChallengeWorkers } from "saltmine/altcha-lib";
import { createWorker } from "saltmine/altcha-workers";

export const client: Client = createClient({
  baseUrl: "https://api.example.com",
  appId: "app_1",
  storage: localStorage,
  fetch: globalThis.fetch,
});
const controller = new AbortController();
export const response: Promise<Response> = client.fetch(new Request("/run/api/chat"), {
  signal: controller.signal,
});
export const headers: Promise<Headers> = client
  .fetch(new URL("https://api.example.com/"))
  .then(({ headers }) => headers);
export const found = solveChallengeWorkers(() => new Worker("worker.js"), 2, "", "");
export const solved = solve(
  { algorithm: "", challenge: "", salt: "", signature: "" },
  { signal: controller.signal },
);
export const worker: Worker = createWorker();
