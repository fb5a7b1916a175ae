/** The Web Worker's entry. */
import { serve } from "./engine.js";
import type { Command, Report } from "./messages.js";

/** Long enough to be worth the pause, short enough to hear an abort. */
const SLICE_MS = 25;

declare const self: {
  onmessage: ((event: { data: Command }) => void) | null;
  postMessage(report: Report): void;
};

const handle = serve((report) => self.postMessage(report), SLICE_MS);
self.onmessage = (event) => handle(event.data);
