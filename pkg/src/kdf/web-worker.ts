/** The entry of the Web Worker that derives keys. */
import type { KeyCommand, KeyReport } from "./messages.js";
import { serveKeys } from "./serve.js";

declare const self: {
  onmessage: ((event: { data: KeyCommand }) => void) | null;
  postMessage(report: KeyReport): void;
};

const handle = serveKeys((report) => self.postMessage(report));
self.onmessage = (event) => handle(event.data);
