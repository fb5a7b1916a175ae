/** A Web Worker as its owner sees it, however it was started. */
import type { Report } from "../solver/messages.js";
import type { Thread } from "./types.js";

/** Connects a worker's events with its owner. */
export function threadOf(
  worker: Worker,
  onReport: (report: Report) => void,
  onBroken: (reason: string) => void,
): Thread {
  worker.onmessage = (event: MessageEvent<Report>) => onReport(event.data);
  worker.onerror = (event) => {
    event.preventDefault?.();
    onBroken(event.message || "it did not start");
  };
  worker.onmessageerror = () => onBroken("unreadable message");
  return { post: (command) => worker.postMessage(command), terminate: () => worker.terminate() };
}

/** One `blob:` URL for each text, for as long as the page lives. */
const blobs = new Map<string, string>();

/** Returns the URL of a script that consists of these parts; the same parts get the same URL under `key`. */
export function blobUrl(key: string, parts: () => string[]): string {
  let url = blobs.get(key);
  if (url === undefined) {
    url = URL.createObjectURL(new Blob(parts(), { type: "text/javascript" }));
    blobs.set(key, url);
  }
  return url;
}

/**
 * Starts the worker at an address. Browsers start no worker from another origin: there a script of the page's own origin
 * imports it.
 */
export function workerAt(url: string | URL, type: WorkerType = "module"): Worker {
  const { href, origin, protocol } = new URL(url, location.href);
  const isOwn = origin === location.origin || protocol === "blob:" || protocol === "data:";
  const quoted = JSON.stringify(href);
  const address = isOwn
    ? href
    : blobUrl(`${type} ${href}`, () => [
        type === "module" ? `import ${quoted};` : `importScripts(${quoted});`,
      ]);
  return new Worker(address, { type, name: "saltmine" });
}

/** How many threads this machine has. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 1;

/** The store that a session is kept in unless the caller says otherwise. */
export const DEFAULT_STORAGE = "local";
