import { makeClient } from "./client-from-cdn.js";

const client = makeClient({
  baseUrl: new URLSearchParams(location.search).get("api"),
  appId: "app_demo000000000000",
  onEvent: (event) => {
    if (event.type === "ready") globalThis.outcome = { token: event.session.token, backend: event.backend };
  },
});
client.session().catch(({ code, message }) => {
  globalThis.outcome = { code, message };
});
