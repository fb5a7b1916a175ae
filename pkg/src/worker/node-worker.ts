/** The worker thread's entry in Node. */
import { parentPort } from "node:worker_threads";
import { load } from "#load";
import { serve, WORKER_SLICE_MS } from "./request-handler.js";
import type { Command, Report } from "../solver/messages.js";

const port = parentPort;
if (!port) throw new Error("saltmine's worker was run outside of a worker thread.");
const handle = serve(load, (report: Report) => port.postMessage(report), WORKER_SLICE_MS);
port.on("message", (command: Command) => handle(command));
