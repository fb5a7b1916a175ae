import { createClient } from "saltmine/inline";

export function start(baseUrl) {
  const client = createClient({
    baseUrl,
    appId: "app_demo000000000000",
    onEvent: (event) => {
      if (event.type === "ready") globalThis.outcome = { token: event.session.token, backend: event.backend };
    },
  });
  client.session().catch(({ code, message }) => {
    globalThis.outcome = { code, message };
  });
}
