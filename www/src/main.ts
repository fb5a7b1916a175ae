/** The demo page: a session through the published package, and a chat that uses it. */
import { type ClientOptions, createClient } from "saltmine";
import { ChatWidget } from "./chat-widget.js";
import { Conversation } from "./conversation.js";
import { startDigging } from "./dig.js";
import { part } from "./page.js";
import { SessionPanel } from "./session-panel.js";
import { readSettings, type Settings } from "./settings.js";
import { startTheme } from "./theme.js";

startTheme();
startDigging();
const panel = new SessionPanel();

try {
  start(readSettings(new URL(location.href)));
} catch (error) {
  // The page's own address asks for something that cannot be.
  panel.fail(error);
  panel.offerDefaults();
}

function start(settings: Settings): void {
  const { baseUrl, appId, isForeign } = settings;
  const options: ClientOptions = { baseUrl, appId, onEvent: (event) => panel.take(event) };
  // Sessions are stored by app alone: a link to this page must not hand this server's token to another server.
  if (isForeign) options.storage = "session";
  const client = createClient(options);

  /** Whoever asks for the session, the panel tells when there is none. */
  let visitor = 0;
  const shown =
    <T>(ask: () => Promise<T>) =>
    async (): Promise<T> => {
      const asker = visitor;
      try {
        return await ask();
      } catch (error) {
        // Signing out gives up what is under way; that is no failure.
        if (asker === visitor) panel.fail(error);
        throw error;
      }
    };
  const openSession = () => void shown(() => client.session())().catch(() => {});
  const headers = shown(() => client.headers());
  const newIdentity = () => {
    visitor += 1;
    client.signOut();
    openSession();
  };

  const chat = new ChatWidget({ converse: () => new Conversation(headers, baseUrl), newIdentity });
  part("retry").addEventListener("click", () => {
    // The button is about to vanish: whoever pressed it with the keyboard stays in its place.
    part("happened").focus({ preventScroll: true });
    openSession();
  });
  part("new-identity").addEventListener("click", () => {
    newIdentity();
    chat.restart("You are someone else now, so this is a new conversation.");
  });
  showSettings(settings);
  openSession();
}

function showSettings({ baseUrl, appId, isForeign }: Settings): void {
  part("snippet").textContent = [
    'import { createClient } from "saltmine";',
    "",
    "const client = createClient({",
    `  baseUrl: ${JSON.stringify(baseUrl)},`,
    `  appId: ${JSON.stringify(appId)},`,
    "});",
    "",
    "// For every call that the widget makes:",
    "const headers = await client.headers();",
  ].join("\n");
  if (!isForeign) return;
  part("foreign-server").hidden = false;
  part("foreign-server").textContent = `This page’s address has it talk to another server: ${baseUrl}`;
}
