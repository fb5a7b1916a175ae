/** The worker of the one-file entry point: a classic script, before which the page puts one of the two engines. */
import type { Command, Report } from "../solver/messages.js";
import { loadDeflated, loadJavascript } from "./load-inline.js";
import { serve } from "./request-handler.js";
import { WORKER_SLICE_MS } from "./slices.js";
import type { Exports } from "./wasm-module.js";

declare const simd128: string;
declare const javascript: () => Exports;
declare const self: {
  onmessage: ((event: { data: Command }) => void) | null;
  postMessage(report: Report): void;
};

const load = typeof simd128 === "undefined" ? loadJavascript(javascript) : loadDeflated(simd128);
const handle = serve(load, (report) => self.postMessage(report), WORKER_SLICE_MS);
self.onmessage = (event) => handle(event.data);
