/** A Web Worker that derives keys, as its owner sees it, however it was started. */
import type { KeyCommand, KeyReport } from "./messages.js";

/** A thread that derives keys. */
export interface KeyThread {
  post(command: KeyCommand): void;
  terminate(): void;
}

/** What a browser has that does not say, in GiB. */
const USUAL_MEMORY = 8;

/** One for each address, for as long as the page lives. */
const blobs = new Map<string, string>();

/** Connects a worker's events with its owner. */
export function connectKeyWorker(
  worker: Worker,
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
): KeyThread {
  worker.onmessage = (event: MessageEvent<KeyReport>) => onReport(event.data);
  worker.onerror = (event) => {
    event.preventDefault?.();
    onBroken(event.message || "it did not start");
  };
  return { post: (command) => worker.postMessage(command), terminate: () => worker.terminate() };
}

/** Whether an address is at another origin than the page. */
export function isForeign(address: string): boolean {
  const { location } = globalThis;
  return /^https?:/.test(address) && location && new URL(address).origin !== location.origin;
}

/** Starts the worker at an address. Its script must be of the page's origin: where it is not, a blob imports it. */
export function startKeyWorker(script: string): Worker {
  const options = { type: "module", name: "saltmine-kdf" } as const;
  if (!isForeign(script)) return new Worker(script, options);
  const text = `import ${JSON.stringify(script)};`;
  const address = blobs.get(script) ?? URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  blobs.set(script, address);
  return new Worker(address, options);
}

/** How many threads this machine has. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 2;

/** The memory of this machine, in bytes. */
export const machineMemory = (): number =>
  ((globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? USUAL_MEMORY) * 2 ** 30;
