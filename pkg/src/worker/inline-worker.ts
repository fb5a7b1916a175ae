/** The worker of the one-file entry point: a classic script, before which the page puts both engines. */
import type { Command, Report } from "../solver/messages.js";
import { loadInline } from "./load-inline.js";
import { serve, WORKER_SLICE_MS } from "./request-handler.js";

declare const simd128: string;
declare const javascript: () => typeof import("./javascript.js");
declare const self: {
  onmessage: ((event: { data: Command }) => void) | null;
  postMessage(report: Report): void;
};

const handle = serve(loadInline(simd128, javascript), (report) => self.postMessage(report), WORKER_SLICE_MS);
self.onmessage = (event) => handle(event.data);
