import { Component, provideZonelessChangeDetection, signal } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { createClient } from "saltmine";

@Component({ selector: "app-root", template: "<p>{{ userId() }}</p>" })
class App {
  readonly userId = signal("");

  constructor() {
    const client = createClient({
      baseUrl: new URLSearchParams(location.search).get("api") ?? "",
      appId: "app_demo000000000000",
      assetsUrl: "/saltmine/",
      onEvent: (event) => {
        if (event.type !== "ready") return;
        this.userId.set(event.session.userId);
        Object.assign(globalThis, { outcome: { token: event.session.token, backend: event.backend } });
      },
    });
    client.session().catch(({ code, message }) => Object.assign(globalThis, { outcome: { code, message } }));
  }
}

bootstrapApplication(App, { providers: [provideZonelessChangeDetection()] });
