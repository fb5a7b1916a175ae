/** The requests that the page sends itself, in limited time: ahead of the engine, or with the caller's own `fetch`. */
import { untilAborted } from "../common/abort.js";
import { describe } from "../common/describe.js";
import type { Grant, HttpRequest, HttpResponse, NoResponse } from "../worker/wasm.js";

const NO_STORE = { cache: "no-store" } as const;

/** Whether there is an origin, and so preflights. */
const isBrowser = (): boolean => globalThis.origin !== undefined;

/** Sends a request; every failure is a `NoResponse`, and `onError` receives what was thrown. */
export async function exchange(
  fetch: typeof globalThis.fetch,
  { url, ...init }: HttpRequest,
  timeoutMs: number,
  signal: AbortSignal,
  onError?: (thrown: unknown) => void,
): Promise<HttpResponse | NoResponse> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    abort();
  }, timeoutMs);
  signal.addEventListener("abort", abort);
  try {
    if (signal.aborted) abort();
    // A caller's own `fetch` may not look at its signal.
    return await untilAborted(send(fetch, url, init, controller.signal), controller.signal);
  } catch (error) {
    onError?.(error);
    return { timedOut, cause: describe(error) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

async function send(
  fetch: typeof globalThis.fetch,
  url: string,
  init: Omit<HttpRequest, "url">,
  signal: AbortSignal,
): Promise<HttpResponse> {
  // Chromium ignores its preflight cache for a request with "no-store", and browsers store no response to POST.
  const cache = init.method === "POST" && isBrowser() && fetch === globalThis.fetch ? {} : NO_STORE;
  const response = await fetch(url, { ...init, ...cache, credentials: "omit", signal });
  const text = await response.text();
  const header = (name: string) => response.headers.get(name);
  return {
    status: response.status,
    date: header("date"),
    retryAfter: header("retry-after"),
    requestId: header("x-request-id"),
    text,
  };
}

/**
 * Lets the browser send the preflight of a later request to another origin now, and cache the result. Otherwise the later
 * request waits for its preflight. The request that is sent here has the method OPTIONS, which CORS middleware responds to
 * with 2xx. Returns whether it succeeded; nothing depends on it.
 */
export async function preflightAhead(url: string, names: string[], signal: AbortSignal): Promise<boolean> {
  try {
    if (!isBrowser() || globalThis.origin === new URL(url).origin) return true;
    const headers = Object.fromEntries(names.map((name) => [name, "-"]));
    const response = await fetch(url, { method: "OPTIONS", headers, credentials: "omit", signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    // The later request reports the error.
    return false;
  }
}

/** Returns the session; undefined for any other response, which the flow handles. */
export function readGrant(response: HttpResponse | NoResponse, proofOfWork: boolean): Grant | undefined {
  if (!("status" in response) || response.status !== 200) return undefined;
  try {
    const { token, expiresAt } = JSON.parse(response.text);
    if (typeof token !== "string" || typeof expiresAt !== "string" || !token || !expiresAt) return undefined;
    const grant: Grant = { type: "granted", token, expiresAt, proofOfWork };
    const serverMs = Date.parse(response.date ?? "");
    return Number.isNaN(serverMs) ? grant : { ...grant, serverMs };
  } catch {
    return undefined;
  }
}
