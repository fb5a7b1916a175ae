/** One request without a body, in limited time; wherever the flow's requests are sent from. */
import { describe } from "../common/describe.js";
import type { RequestStep } from "./wasm-module.js";

/** An answer as plain data. */
export interface Answer {
  status: number;
  date: string | null;
  retryAfter: string | null;
  text: string;
}

/** No answer, and why. */
export interface NoAnswer {
  timedOut: boolean;
  cause: string;
}

/** Sends it; no way to fail is thrown. */
export async function exchange(
  fetch: typeof globalThis.fetch,
  { url, method, headers }: RequestStep,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer | NoAnswer> {
  const request = new AbortController();
  const abort = () => request.abort();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    abort();
  }, timeoutMs);
  signal.addEventListener("abort", abort);
  try {
    if (signal.aborted) abort();
    const init = { method, headers, cache: "no-store", credentials: "omit", signal: request.signal } as const;
    const response = await fetch(url, init);
    const text = await response.text();
    const header = (name: string) => response.headers.get(name);
    return { status: response.status, date: header("date"), retryAfter: header("retry-after"), text };
  } catch (error) {
    return { timedOut, cause: describe(error) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
