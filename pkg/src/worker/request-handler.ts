/**
 * The engine's side of the messages: loads a module and runs the page's requests on it. Runs in a worker; on the page
 * only where there can be no worker.
 */
import { describe } from "../common/describe.js";
import type { Failure } from "../common/errors.js";
import { VERSION } from "../common/version.js";
import type { Command, Engine, Report, Request, Value } from "../solver/messages.js";
import type { ClientModule, Instance } from "./client-module.js";
import { RequestHost, type SearchElsewhere, withOrigin } from "./request-host.js";

/** The length of a slice in a worker, in milliseconds: long beside the pause, short enough to see an abort. */
export const WORKER_SLICE_MS = 25;

/** An instance that is ready to work. */
export interface Loaded {
  engine: Engine;
  instance: Instance;
  /** The reason why it is not the best engine. */
  reason?: string;
  /** The compiled module, for other workers. */
  module?: WebAssembly.Module;
  /** Searches with the hash functions that the engine lacks, where no other engine has them. */
  elsewhere?: SearchElsewhere;
}

/** The error of a module that cannot be loaded. */
export interface LoadFailure extends Error {
  /** A module's file could not be loaded or read; WebAssembly itself is not refused. */
  unloaded: boolean;
}

/** Loads the best module, but no better one than requested, or uses the compiled one of another worker. */
export type Load = (start: Extract<Command, { type: "start" }>) => Promise<Loaded>;

/** The time between two reports of a busy engine, in milliseconds. */
const ALIVE_MS = 2_000;

/** Returns the function that receives commands for an engine; `post` receives its reports. */
export function serve(
  load: Load,
  post: (report: Report) => void,
  sliceMs: number,
): (command: Command) => void {
  const hosts = new Map<number, RequestHost>();
  /** The running requests. */
  const timers = new Set<ReturnType<typeof setInterval>>();
  let client: ClientModule;
  let elsewhere: SearchElsewhere | undefined;

  async function start(command: Extract<Command, { type: "start" }>) {
    try {
      let loaded = await load(command);
      // The page's engines share an instance: another one may have used it meanwhile.
      if (loaded.instance.hasTrapped()) loaded = await load(command);
      const { instance, elsewhere: rare, ...about } = loaded;
      ({ client } = instance);
      elsewhere = rare;
      instance.onTrap((reason) => {
        // Its requests never settle.
        for (const timer of timers) clearInterval(timer);
        post({ type: "broken", reason, unloaded: false });
      });
      post({ type: "started", version: VERSION, ...about });
    } catch (error) {
      const { unloaded } = Object(error) as Partial<LoadFailure>;
      post({ type: "broken", reason: describe(error), unloaded: unloaded === true });
    }
  }

  async function run(id: number, request: Request) {
    const host = new RequestHost(id, request, post, sliceMs, elsewhere);
    hosts.set(id, host);
    const alive = setInterval(() => post({ type: "alive" }), ALIVE_MS);
    timers.add(alive);
    try {
      post({ type: "done", id, value: await perform(client, request, host) });
    } catch (thrown) {
      post({ type: "failed", id, failure: withOrigin(failureOf(thrown), host.origin) });
    } finally {
      clearInterval(alive);
      timers.delete(alive);
      hosts.delete(id);
    }
  }

  return (command) => {
    if (command.type === "start") void start(command);
    else if (command.type === "request") void run(command.id, command.request);
    else if (command.type === "answer") hosts.get(command.id)?.answer(command.answer);
    else hosts.get(command.id)?.abort();
  };
}

function perform(client: ClientModule, request: Request, host: RequestHost): Promise<Value> {
  if (request.type === "session") return client.session(request.options, host);
  const { challenge, type, ...options } = request;
  return client[type](challenge, options, host);
}

/** Returns the Failure that a request rejected with; any other value is a defect. */
function failureOf(thrown: unknown): Failure {
  const isFailure = "code" in Object(thrown) && !(thrown instanceof Error);
  return isFailure ? (thrown as Failure) : { code: "engine_failed", detail: describe(thrown) };
}
