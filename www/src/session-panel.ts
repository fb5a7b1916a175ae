/** The panel that shows the client's steps, the session, and errors. */
import { type Backend, type ClientEvent, SaltmineError } from "saltmine";
import { count, ms, part } from "./page.js";
import { Timeline } from "./timeline.js";

type State = Extract<ClientEvent, { type: "state" }>["state"];

const STATUS: Record<State, string> = {
  starting: "Starting",
  challenge: "Fetching",
  solving: "Solving",
  waiting: "Waiting to retry",
  session: "Requesting",
  ready: "Ready",
  failed: "Failed",
  signed_out: "Signed out",
};

const expiryFormat = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });

export class SessionPanel {
  readonly #timeline = new Timeline(part("timeline"));

  /** Handles the client's events except `failed`, which may be of an aborted run. */
  take(event: ClientEvent): void {
    switch (event.type) {
      case "state":
        if (event.state === "failed") return;
        if (event.state === "starting" || event.state === "signed_out") this.#clear();
        part("failure").hidden = true;
        this.#setState(event.state);
        this.#timeline.enter(event.state);
        this.#showBackend(event.backend);
        return;
      case "progress":
        this.#timeline.progress(event);
        return;
      case "ready":
        this.#showSession(event);
        return;
      case "warning":
        // The list of engines shows the other warning.
        if (event.code !== "storage_blocked") return;
        part("warning").hidden = false;
        part("warning").textContent = event.message;
    }
  }

  /** Shows the error of a request for a session. */
  fail(error: unknown): void {
    this.#setState("failed");
    this.#timeline.stop("failed");
    part("error").textContent = error instanceof Error ? error.message : String(error);
    part("error").dataset.code = error instanceof SaltmineError ? error.code : "";
    part("error-facts").textContent = error instanceof SaltmineError ? factsOf(error).join(" · ") : "";
    part("failure").hidden = false;
    part("took").hidden = true;
  }

  /** Shows an error that only another address of the page can correct: no retry, no new identity, no chat. */
  offerDefaults(): void {
    for (const name of ["retry", "new-identity", "chat-launcher"]) part(name).hidden = true;
    part("defaults").hidden = false;
  }

  /** Deletes the visitor's identity. */
  #clear(): void {
    this.#timeline.begin();
    part("took").hidden = true;
    for (const name of ["user-id", "expires-at", "source", "proof-of-work"]) part(name).textContent = "–";
    part("expires-at").removeAttribute("datetime");
    this.#showBackend(undefined);
  }

  #setState(state: State): void {
    const status = part("status");
    status.dataset.state = state;
    status.textContent = STATUS[state];
  }

  #showSession(event: Extract<ClientEvent, { type: "ready" }>): void {
    const { session, source, proofOfWork, tookMs } = event;
    this.#timeline.stop("skipped");
    if (event.solveMs !== undefined) this.#timeline.searchTook(event.solveMs);
    if (source === "storage")
      this.#timeline.note("starting", "Not needed: the session of your last visit is still valid");
    else if (source === "callback")
      this.#timeline.note("starting", "Not needed: the page has a token for the user");
    else if (!proofOfWork)
      this.#timeline.note("solving", "Not required: proof of work is off on this server");

    part("took").hidden = false;
    part("took-ms").textContent = ms(tookMs);
    part("took-ms").dataset.value = String(tookMs);
    part("took-note").textContent =
      source === "storage"
        ? "to load the stored session"
        : source === "callback"
          ? "to sign a token"
          : "from the start to a session";
    part("user-id").textContent = session.userId;
    const expiry = part<HTMLTimeElement>("expires-at");
    expiry.dateTime = session.expiresAt;
    expiry.textContent = expiryFormat.format(new Date(session.expiresAt));
    part("source").dataset.source = source;
    part("source").textContent =
      source === "storage"
        ? "This browser’s storage, without a request"
        : source === "callback"
          ? "This page, which signed a token for the user"
          : "The server, just now";
    part("proof-of-work").textContent = proofText(event);
    this.#showBackend(event.backend, source !== "network" ? "No search on this visit." : undefined);
  }

  #showBackend(backend: Backend | undefined, otherwise = ""): void {
    const current = backend && `${backend.thread}/${backend.engine}`;
    for (const item of part("engines").querySelectorAll<HTMLElement>("[data-backend]")) {
      if (item.dataset.backend === current) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
    part("engine-reason").hidden = !backend;
    part("engine").textContent = backend?.engine ?? "";
    part("thread").textContent = backend?.thread ?? "";
    part("reason").textContent = backend ? reasonText(backend) : otherwise;
  }
}

function factsOf({ code, status }: SaltmineError): string[] {
  const facts: string[] = [code];
  if (status !== undefined) facts.push(`HTTP ${status}`);
  if (code === "origin_not_allowed") facts.push(`this page: ${location.origin}`);
  return facts;
}

function reasonText({ reason }: Backend): string {
  return reason ? `Reason: ${reason}.` : "The best engine.";
}

function proofText(event: Extract<ClientEvent, { type: "ready" }>): string {
  const { source, proofOfWork, hashes, keys, solveMs } = event;
  if (source === "storage") return "None on this visit";
  if (source === "callback") return "None: the app’s key verifies the token";
  if (!proofOfWork) return "Off on this server";
  if (solveMs === undefined) return "Done";
  return keys === undefined
    ? `${count(hashes ?? 0)} hashes in ${ms(solveMs)} ms`
    : `${count(keys)} keys derived in ${ms(solveMs)} ms`;
}
