/** Browsers: threads and memory for the derivation of keys. */
import type { KeyCommand, KeyReport } from "./messages.js";

/** A thread that derives keys, as its owner sees it. */
export interface KeyThread {
  post(command: KeyCommand): void;
  terminate(): void;
}

/** What a browser has that does not say, in GiB. */
const USUAL_MEMORY = 8;

/** One for each address, for as long as the page lives. */
const blobs = new Map<string, string>();

/** Starts a worker. Throws, or calls `onBroken`, where that is refused. */
export function spawnKeyWorker(
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
): KeyThread {
  // A literal expression, or bundlers do not see it.
  const own = () =>
    new Worker(new URL("./kdf-worker.js", import.meta.url), { type: "module", name: "saltmine-kdf" });
  const worker = blobOf(import.meta.url) ?? own();
  worker.onmessage = (event: MessageEvent<KeyReport>) => onReport(event.data);
  worker.onerror = (event) => {
    event.preventDefault?.();
    onBroken(event.message || "it did not start");
  };
  return { post: (command) => worker.postMessage(command), terminate: () => worker.terminate() };
}

/** A worker's script must be of the page's origin: where this file is not, a blob imports it. */
function blobOf(here: string): Worker | undefined {
  const { location } = globalThis;
  if (!/^https?:/.test(here) || !location || new URL(here).origin === location.origin) return undefined;
  // Not the literal expression above: a bundler's file of the page's origin does not come here.
  const script = new URL("kdf-worker.js", here).href;
  const text = `import ${JSON.stringify(script)};`;
  const address = blobs.get(script) ?? URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  blobs.set(script, address);
  return new Worker(address, { type: "module", name: "saltmine-kdf" });
}

/** The engine without a worker: its code is loaded only when this is called. */
export const loadKeyPageEngine = () => import("#kdf-page-engine");

/** How many threads this machine has. */
export const threadCount = (): number => globalThis.navigator?.hardwareConcurrency ?? 2;

/** The memory of this machine, in bytes. */
export const machineMemory = (): number =>
  ((globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory ?? USUAL_MEMORY) * 2 ** 30;
