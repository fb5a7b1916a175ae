import { createClient } from "saltmine";
import { solveChallenge } from "saltmine/altcha-lib";

const api = new URLSearchParams(location.search).get("api");
const { challenge, salt, algorithm } = await (await fetch(`${api}/run/auth/pow/challenge`)).json();
const solution = await solveChallenge(challenge, salt, algorithm).promise;
const client = createClient({
  baseUrl: api,
  appId: "app_demo000000000000",
  onEvent: (event) => {
    if (event.type === "ready" && solution) {
      globalThis.outcome = { token: event.session.token, backend: event.backend };
    }
  },
});
client.session().catch(({ code, message }) => {
  globalThis.outcome = { code, message };
});
