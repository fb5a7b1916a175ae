/** The interface of a Web Worker to its owner. */
import { baseUrl } from "../common/globals.js";
import type { Command, Report } from "../solver/messages.js";
import type { Thread } from "./types.js";

/** Connects a worker's events with its owner. */
export function threadOf<C = Command, R = Report>(
  worker: Worker,
  onReport: (report: R) => void,
  onBroken: (reason: string) => void,
): Thread<C> {
  worker.onmessage = (event: MessageEvent<R>) => onReport(event.data);
  worker.onerror = (event) => {
    event.preventDefault?.();
    onBroken(event.message || "it did not start");
  };
  worker.onmessageerror = () => onBroken("unreadable message");
  return { post: (command) => worker.postMessage(command), terminate: () => worker.terminate() };
}

/** The options of a worker that derives keys. */
export const KEY_WORKER: WorkerOptions = { type: "module", name: "saltmine-kdf" };

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

/** Whether an origin is that of the page. The location of a frame by `srcdoc` has none. */
const isOwnOrigin = (origin: string): boolean => origin === location.origin || origin === globalThis.origin;

/**
 * Starts the worker at an address. Browsers start no worker from another origin: there a script of the page's own origin
 * imports it.
 */
export function workerAt(
  url: string | URL,
  { type = "classic", name }: WorkerOptions = { type: "module", name: "saltmine" },
): Worker {
  const { href, origin, protocol } = new URL(url, baseUrl());
  const isOwn = isOwnOrigin(origin) || protocol === "blob:" || protocol === "data:";
  const quoted = JSON.stringify(href);
  const address = isOwn
    ? href
    : blobUrl(`${type} ${href}`, () => [
        type === "module" ? `import ${quoted};` : `importScripts(${quoted});`,
      ]);
  return new Worker(address, { type, name: name ?? "" });
}

/**
 * Starts the worker that `construct` names, also where a bundler put it at another origin than the page's: some browsers
 * refuse that at once, others (Firefox) by an event without a reason.
 */
export function ownWorker(construct: () => Worker): Worker {
  const [url, options] = addressOf(construct) ?? [];
  return !url || isOwnOrigin(url.origin) ? construct() : workerAt(url, options);
}

/**
 * Returns the address that a bundler gave the worker, and how to start it. Bundlers replace only the whole expression
 * `new Worker(new URL(…))`, so for the moment of its evaluation a stand-in takes the place of `Worker`.
 */
function addressOf(construct: () => Worker): [url: URL, options: WorkerOptions] | undefined {
  const { Worker } = globalThis;
  if (typeof Worker !== "function") return undefined;
  let address: [URL, WorkerOptions] | undefined;
  globalThis.Worker = class {
    constructor(url: string | URL, options: WorkerOptions = {}) {
      address = [new URL(url, baseUrl()), options];
    }
  } as unknown as typeof Worker;
  try {
    construct();
  } finally {
    globalThis.Worker = Worker;
  }
  return address;
}

/** Returns the number of the machine's threads. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 1;

/** The default storage of a session. */
export const DEFAULT_STORAGE = "local";

/** Whether this runtime loads the package's files from an address. */
export const isLoadable = (_address: string): boolean => true;
