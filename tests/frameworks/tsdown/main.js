import { makeClient } from "./lib/library.js";

const client = makeClient({
  baseUrl: new URLSearchParams(location.search).get("api"),
  onEvent: (event) => {
    if (event.type === "ready") globalThis.outcome = { token: event.session.token, backend: event.backend };
  },
});
client.session().catch(({ code, message }) => {
  globalThis.outcome = { code, message };
});
