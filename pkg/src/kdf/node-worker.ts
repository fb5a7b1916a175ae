/** The entry of the Node thread that derives keys. */
import { parentPort } from "node:worker_threads";
import type { KeyCommand } from "./messages.js";
import { serveKeys } from "./serve.js";

const port = parentPort;
if (!port) throw new Error("saltmine's worker was run outside of a worker thread.");
const handle = serveKeys((report) => port.postMessage(report));
port.on("message", (command: KeyCommand) => handle(command));
