import { InkeepEmbeddedChat } from "@inkeep/agents-ui";
import { createRoot } from "react-dom/client";

/** The settings of the page's owner: `baseSettings` and `aiChatSettings`; `getAuthToken` returns `token`. */
const { baseSettings, aiChatSettings, token } = globalThis.settings;
const getAuthToken = token && (() => Promise.resolve(globalThis.settings.token));

createRoot(document.getElementById("chat")).render(
  <InkeepEmbeddedChat
    baseSettings={{ ...baseSettings, ...(getAuthToken && { getAuthToken }) }}
    aiChatSettings={aiChatSettings}
  />,
);
