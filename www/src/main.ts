/** The demo page: a session through the published package, and a chat that uses it. */
import { type Client, type ClientOptions, createClient } from "saltmine";
import { ChatWidget } from "./chat-widget.js";
import { Conversation } from "./conversation.js";
import { part } from "./page.js";
import { startSearchDemo } from "./search-demo.js";
import { SessionPanel } from "./session-panel.js";
import { readSettings, type Settings } from "./settings.js";
import { makeSigner, type Signer, USER } from "./signed-in.js";
import { startTheme } from "./theme.js";

startTheme();
startSearchDemo();
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
  const makeClient = (signer?: Signer): Client => {
    const made: { client?: Client } = {};
    const options: ClientOptions = {
      baseUrl,
      appId,
      onEvent: (event) => {
        // A client that was replaced has nothing to say.
        if (!made.client || made.client === client) panel.take(event);
      },
    };
    // Only the app is part of a stored session's key: a link to this page must not send this server's token to another
    // server.
    if (isForeign) options.storage = "session";
    if (signer) options.getAuthToken = signer;
    made.client = createClient(options);
    return made.client;
  };
  let client = makeClient();

  let visitor = 0;
  /** Makes the panel show when a session is missing, whichever part of the page requests it. */
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
    // The button is about to disappear: the keyboard focus stays in its place.
    part("happened").focus({ preventScroll: true });
    openSession();
  });
  part("new-identity").addEventListener("click", () => {
    newIdentity();
    chat.restart("You have a new identity, so this is a new conversation.");
  });
  const sign = startSigningIn(settings, (signer) => {
    visitor += 1;
    client.dispose();
    client = makeClient(signer);
    openSession();
    chat.restart(
      signer
        ? `Hello ${USER.name}! This page signed a token for you: no challenge, no session request.`
        : "You are anonymous again, so this is a new conversation.",
    );
  });
  sign.hidden = isForeign;
  showSettings(settings);
  openSession();
}

/** Returns the button that signs the demo's user in and out. `change` is called with a signer, or without one. */
function startSigningIn({ baseUrl }: Settings, change: (signer?: Signer) => void): HTMLButtonElement {
  const button = part<HTMLButtonElement>("sign-in");
  const failure = part("sign-in-failure");
  let isSignedIn = false;
  const toggle = async () => {
    failure.hidden = true;
    button.disabled = true;
    try {
      change(isSignedIn ? undefined : await makeSigner(baseUrl));
      isSignedIn = !isSignedIn;
      button.textContent = isSignedIn ? "Sign out" : `Sign in as ${USER.name}`;
      part("new-identity").hidden = isSignedIn;
    } catch (error) {
      failure.textContent = error instanceof Error ? error.message : String(error);
      failure.hidden = false;
    } finally {
      button.disabled = false;
    }
  };
  button.addEventListener("click", () => void toggle());
  return button;
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
  part("foreign-server").textContent = `The address of this page selects another server: ${baseUrl}`;
}
