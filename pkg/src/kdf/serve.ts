/** The engine's side of the messages: opens an engine, then tries the blocks of counters that it receives. */
import { describe } from "../common/describe.js";
import { VERSION } from "../common/version.js";
import { openEngine, OutOfMemory } from "./engine.js";
import { fasterEngine } from "./webcrypto.js";
import type { Engine, KeyCommand, KeyReport } from "./messages.js";

/** Returns the function that receives commands; `post` receives the reports. */
export function serveKeys(post: (report: KeyReport) => void): (command: KeyCommand) => void {
  let engine: Engine | undefined;
  let isStopped = false;
  // One command after the other.
  let last: Promise<void> = Promise.resolve();

  async function start({ compares, ...start }: Extract<KeyCommand, { type: "start" }>) {
    const opened = await openEngine(start);
    engine = compares ? fasterEngine(opened, start.parameters) : opened;
    const { width } = engine;
    post({ type: "ready", version: VERSION, engine: engine.engine, width, reason: opened.reason });
  }

  async function search(first: number, count: number) {
    if (!engine || isStopped) return;
    const began = performance.now();
    const used = engine.engine;
    const found = await engine.search(first, count);
    const tried = found ? found.counter - first + 1 : count;
    post({ type: "searched", found, tried, ms: performance.now() - began, engine: used });
  }

  async function carryOut(command: KeyCommand) {
    try {
      if (command.type === "start") await start(command);
      else if (command.type === "search") await search(command.first, command.count);
    } catch (error) {
      post({ type: "failed", outOfMemory: error instanceof OutOfMemory, reason: describe(error) });
    }
  }

  return (command) => {
    if (command.type === "stop") {
      isStopped = true;
      engine?.close();
    } else last = last.then(() => carryOut(command));
  };
}
