/** A Web Worker as the page sees it. */
import type { Command, Report } from "../solver/messages.js";

/** What a thread offers its owner. */
export interface Thread {
  post(command: Command): void;
  terminate(): void;
  /** Whether the process waits for the thread; only Node's ask. */
  keepAlive?(on: boolean): void;
}

/** What a thread is to run: WebAssembly, or the module in JavaScript, without the rare hash functions or with them. */
export type Kind = "wasm" | "javascript" | "javascript-all";

/** Starts the worker. Throws where that is refused at once; elsewhere `onBroken` tells, or nothing at all. */
export function spawn(
  kind: Kind,
  url: string | undefined,
  onReport: (report: Report) => void,
  onBroken: (reason: string) => void,
): Thread {
  // Literal expressions, or bundlers do not see them. webpack puts workers of the same name into one file.
  const worker = url
    ? new Worker(url, { type: "module", name: "saltmine" })
    : kind === "javascript"
      ? new Worker(new URL("./worker-javascript.js", import.meta.url), { type: "module" })
      : kind === "javascript-all"
        ? new Worker(new URL("./worker-javascript-all.js", import.meta.url), { type: "module" })
        : new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "saltmine" });
  worker.onmessage = (event: MessageEvent<Report>) => onReport(event.data);
  worker.onerror = (event) => {
    event.preventDefault?.();
    onBroken(event.message || "it did not start");
  };
  worker.onmessageerror = () => onBroken("unreadable message");
  return { post: (command) => worker.postMessage(command), terminate: () => worker.terminate() };
}

/** The engine without a worker: its code is loaded only when this is called. */
export const loadPageEngine = (kind: Kind) =>
  kind === "javascript"
    ? import("#page-engine-javascript")
    : kind === "javascript-all"
      ? import("#page-engine-javascript-all")
      : import("#page-engine");

/** What several engines need, and only then. */
export const loadSearch = () => import("#search");

/** What challenges of version 2 need. */
export const loadKeySearch = () => import("#keys");

/** What a caller's own requests need. */
export const loadRequests = () => import("#requests");

/** How many threads this machine has. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 1;

/** The store that a session is kept in unless the caller says otherwise. */
export const DEFAULT_STORAGE = "local";
