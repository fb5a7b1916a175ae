const client = saltmine.createClient({
  baseUrl: new URLSearchParams(location.search).get("api"),
  appId: "app_demo000000000000",
  storage: "memory",
  onEvent: (event) => {
    if (event.type !== "ready") return;
    document.documentElement.dataset.outcome = JSON.stringify({
      token: event.session.token,
      backend: event.backend,
    });
  },
});
client.session().catch(({ code, message }) => {
  document.documentElement.dataset.outcome = JSON.stringify({ code, message });
});
