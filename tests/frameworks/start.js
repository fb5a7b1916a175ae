import { createClient } from "saltmine";

/** Requests a session; the page's outcome is the token and the engine, or the error. */
export function start() {
  const client = createClient({
    baseUrl: new URLSearchParams(location.search).get("api"),
    appId: "app_demo000000000000",
    onEvent: (event) => {
      if (event.type === "ready") globalThis.outcome = { token: event.session.token, backend: event.backend };
    },
  });
  client.session().catch(({ code, message }) => {
    globalThis.outcome = { code, message };
  });
}
