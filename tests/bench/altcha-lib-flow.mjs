/** A page that requests a session without this package, with `altcha-lib` 1.4.1 and a worker for each core. */
import { solveChallengeWorkers } from "altcha-lib";

/** Returns the token of a new session. */
async function requestToken(appId) {
  const { algorithm, challenge, maxnumber, salt, signature } = await (
    await fetch("/run/auth/challenge")
  ).json();
  const solution = await solveChallengeWorkers(
    "/altcha-lib-worker.js",
    navigator.hardwareConcurrency,
    challenge,
    salt,
    algorithm,
    maxnumber,
  );
  const payload = btoa(JSON.stringify({ algorithm, challenge, number: solution.number, salt, signature }));
  const response = await fetch(`/run/auth/apps/${appId}/anonymous-session`, {
    method: "POST",
    headers: { "X-Inkeep-Challenge-Solution": payload },
  });
  return (await response.json()).token;
}

try {
  const token = await requestToken(globalThis.appId);
  globalThis.done = { at: performance.now(), token };
} catch (error) {
  globalThis.done = { failed: error.message };
}
