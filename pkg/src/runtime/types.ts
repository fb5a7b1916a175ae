/** The types that all runtimes share; none of them needs the library of a browser. */
import type { Command, Report } from "../solver/messages.js";

/** The interface of a thread to its owner. */
export interface Thread<C = Command> {
  post(command: C): void;
  terminate(): void;
  /** Sets whether the process waits for the thread; only Node's threads have this. */
  keepAlive?(on: boolean): void;
}

/** The engine on the page's own thread. */
export interface PageEngine {
  /** Starts the engine; `post` takes its reports. Returns the function that receives commands. */
  serveOnPage(post: (report: Report) => void): (command: Command) => void;
}
