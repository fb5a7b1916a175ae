import { createClient } from "saltmine";

const worker = `import "${import.meta.resolve("saltmine").replace("index.js", "worker.js")}";`;
const client = createClient({
  baseUrl: new URLSearchParams(location.search).get("api"),
  appId: "app_demo000000000000",
  workerUrl: URL.createObjectURL(new Blob([worker], { type: "text/javascript" })),
  onEvent: (event) => {
    if (event.type === "ready") globalThis.outcome = { token: event.session.token, backend: event.backend };
  },
});
client.session().catch(({ code, message }) => {
  globalThis.outcome = { code, message };
});
