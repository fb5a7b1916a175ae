/** The worker thread's entry in Node. */
import { parentPort } from "node:worker_threads";
import { load } from "#load";
import { serve } from "./request-handler.js";
import type { Command, Report } from "../solver/messages.js";
import { WORKER_SLICE_MS } from "./slices.js";

const port = parentPort;
if (!port) throw new Error("saltmine's worker was run outside of a worker thread.");
const handle = serve(load, (report: Report) => port.postMessage(report), WORKER_SLICE_MS);
port.on("message", (command: Command) => handle(command));
