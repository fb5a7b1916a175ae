import { InkeepEmbeddedChat } from "@inkeep/agents-ui";
import { createRoot } from "react-dom/client";

/** What the page's owner wrote: `baseSettings` and `aiChatSettings`; `token` is what `getAuthToken` gives. */
const { baseSettings, aiChatSettings, token } = globalThis.settings;
const getAuthToken = token && (() => Promise.resolve(globalThis.settings.token));

createRoot(document.getElementById("chat")).render(
  <InkeepEmbeddedChat
    baseSettings={{ ...baseSettings, ...(getAuthToken && { getAuthToken }) }}
    aiChatSettings={aiChatSettings}
  />,
);
