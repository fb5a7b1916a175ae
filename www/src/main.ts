import { createClient, SaltmineError } from "saltmine";

const find = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`) as HTMLElement;

const client = createClient({
  baseUrl: location.origin,
  appId: "app_demo000000000000",
  onEvent: (event) => {
    if (event.type !== "state") return;
    find("status").dataset.state = event.state;
    find("status").textContent = event.state;
  },
});

client.session().then(
  (session) => {
    find("user-id").textContent = session.userId;
  },
  (error: SaltmineError) => {
    find("error").hidden = false;
    find("error").textContent = `${error.message} (${error.code})`;
  },
);
