/** The Web Worker's entry. */
import { load } from "#load";
import { serve, WORKER_SLICE_MS } from "./request-handler.js";
import type { Command, Report } from "../solver/messages.js";

declare const self: {
  onmessage: ((event: { data: Command }) => void) | null;
  postMessage(report: Report): void;
};

const handle = serve(load, (report) => self.postMessage(report), WORKER_SLICE_MS);
self.onmessage = (event) => handle(event.data);
