/** Starts what a challenge of version 2 needs all at once: its code, a worker, and the wasm file. */
import { loadKeySearch } from "#chunks";
import { keyModuleUrl, spawnKeyWorker } from "#runtime";
import type { Assets } from "../common/assets.js";
import { requestAhead } from "../common/wasm-files.js";
import type { ModuleName } from "../kdf/challenge.js";
import type { KeyEngine, KeyReport, KeyThread, ModuleAhead, SpawnKeyWorker } from "../kdf/messages.js";

/** The started parts. */
export interface KeysAhead {
  /** The module that was requested. */
  readonly module: ModuleName;
  /** The code of the search; its rejection is for the code that waits for it. */
  readonly code: ReturnType<typeof loadKeySearch>;
  /** The module; nothing where its address is not known, or it is not used. */
  readonly wasm: ModuleAhead | undefined;
  /** Returns the worker that was started, the first time; starts one afterwards. */
  readonly spawn: SpawnKeyWorker;
  /** Ends the worker, if nobody has taken it. */
  end(): void;
}

/** The module that a challenge of version 2 in a response's text probably needs, by the name of its algorithm. */
export const moduleIn = (text: string): ModuleName =>
  /"SCRYPT"/.test(text) ? "scrypt" : /"ARGON2ID"/.test(text) ? "argon2id" : "sha";

/** The modules that this page has requested, by address: a page may solve many challenges. */
const requested = new Map<string, Promise<ArrayBuffer | undefined>>();

function requestOnce(url: string): Promise<ArrayBuffer | undefined> {
  const running = requested.get(url) ?? requestAhead(url);
  requested.set(url, running);
  const forget = () => requested.delete(url);
  running.then((bytes) => bytes ?? forget(), forget);
  return running;
}

/** Starts the code, a worker, and the download of the module. */
export function startKeys(module: ModuleName, engine: KeyEngine | undefined, assets: Assets): KeysAhead {
  const code = loadKeySearch(assets);
  code.catch(() => {});
  const needsWasm = engine === undefined || engine === "simd128";
  const url = needsWasm ? addressOf(module, assets) : undefined;
  const wasm = url === undefined ? undefined : { module, bytes: requestOnce(url) };
  const start: SpawnKeyWorker = (onReport, onBroken) =>
    spawnKeyWorker(assets("kdf-worker.js"), onReport, onBroken);
  let spare = spareWorker(start);
  const spawn: SpawnKeyWorker = (onReport, onBroken) => {
    const taken = spare?.take(onReport, onBroken);
    spare = undefined;
    return taken ?? start(onReport, onBroken);
  };
  const end = () => {
    spare?.thread.terminate();
    spare = undefined;
  };
  return { module, code, wasm, spawn, end };
}

/** Returns the address of a module; nothing where there is none, such as in a script that does not know its own. */
function addressOf(module: ModuleName, assets: Assets): string | undefined {
  try {
    return keyModuleUrl(module, assets(`kdf-${module}.wasm`));
  } catch {
    return undefined;
  }
}

/** Starts a worker that gets its owner later; nothing where it is refused at once: the owner's own attempt reports that. */
function spareWorker(start: SpawnKeyWorker) {
  let owner: { onReport(report: KeyReport): void; onBroken(reason: string): void } | undefined;
  let isBroken = false;
  const onReport = (report: KeyReport) => owner?.onReport(report);
  const onBroken = (reason: string) => {
    isBroken = true;
    owner?.onBroken(reason);
  };
  let thread: KeyThread;
  try {
    thread = start(onReport, onBroken);
  } catch {
    return undefined;
  }
  // A worker that waits does not keep a Node process alive.
  thread.keepAlive?.(false);
  /** Returns the worker; nothing where it has failed meanwhile. */
  const take = (...[onReport, onBroken]: Parameters<SpawnKeyWorker>): KeyThread | undefined => {
    if (isBroken) {
      thread.terminate();
      return undefined;
    }
    owner = { onReport, onBroken };
    thread.keepAlive?.(true);
    return thread;
  };
  return { thread, take };
}
