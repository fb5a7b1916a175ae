/** The server and the app of the page: its own server and the demo app, unless its address has other values. */

const DEMO_APP = "app_demo000000000000";

export interface Settings {
  baseUrl: string;
  appId: string;
  /** Whether the server is not the one that this page came from. */
  isForeign: boolean;
}

/** A parameter of the page's address that cannot be used; the message is for the page. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Reads `?baseUrl=…&appId=…` of the page's address. Throws SettingsError. */
export function readSettings(page: URL): Settings {
  const base = readBaseUrl(page.searchParams.get("baseUrl") ?? page.origin);
  const appId = page.searchParams.get("appId") ?? DEMO_APP;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(appId)) {
    throw new SettingsError(
      "The appId in this page's address is not an app's id: 1 to 64 letters, digits, “_” and “-”.",
    );
  }
  return { baseUrl: base.href.replace(/\/$/, ""), appId, isForeign: base.origin !== page.origin };
}

function readBaseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new SettingsError("The baseUrl in this page's address is not a URL such as http://127.0.0.1:8787.");
  }
  if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new SettingsError(
      "The baseUrl in this page's address must be an http or https URL without user, query and fragment.",
    );
  }
  return url;
}
