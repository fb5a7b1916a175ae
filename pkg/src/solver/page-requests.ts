/** The requests that the page sends itself, in limited time: ahead of the engine, or with the caller's own `fetch`. */
import { untilAborted } from "../common/abort.js";
import { describe } from "../common/describe.js";
import type { Grant, HttpRequest, HttpResponse, NoResponse } from "../worker/wasm.js";

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
  // With "no-store" a browser uses no preflight that it has cached either.
  const cache = init.method === "GET" ? "no-store" : "default";
  const response = await fetch(url, { ...init, cache, credentials: "omit", signal });
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
 * Lets the browser send the preflight of a later request to another origin, whose result it caches: the request would wait
 * for that response else. The request itself is OPTIONS too, which services respond to in the same way. Nothing depends on
 * its success.
 */
export async function preflightAhead(url: string, names: string[], signal: AbortSignal): Promise<void> {
  const { location } = globalThis as { location?: Location };
  // Only browsers send preflights.
  if (!location || location.origin === new URL(url).origin) return;
  const headers = Object.fromEntries(names.map((name) => [name, "-"]));
  try {
    await fetch(url, { method: "OPTIONS", headers, credentials: "omit", signal });
  } catch {
    // The later request reports the error.
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
