/** Keeps engines for some time between two requests. */
import type { Assets } from "../common/assets.js";
import { connect, type Wanted } from "./engine-selection.js";
import type { WorkerClient } from "./worker-client.js";
import type { Engine } from "./messages.js";

/** The time after which an idle engine is terminated, in milliseconds. */
const IDLE_MS = 5_000;

interface Idle {
  link: WorkerClient;
  /** The key that it was requested with. */
  key: string;
  timer: ReturnType<typeof setTimeout>;
}

/** The engines of one owner. */
export class WorkerPool {
  readonly #assets: Assets;
  readonly #idle = new Set<Idle>();
  /** All workers, in use and idle, so that all can be ended. */
  readonly #links = new Set<WorkerClient>();
  /** The first compiled engine for each requested one. */
  readonly #compiled = new Map<Engine | undefined, WorkerClient>();
  #closed = false;

  constructor(assets: Assets) {
    this.#assets = assets;
  }

  /** Returns an engine for one caller, until it is released. */
  async take(wanted: Wanted, signal: AbortSignal): Promise<WorkerClient> {
    for (const waiting of this.#idle) {
      if (waiting.key !== keyOf(wanted)) continue;
      this.#idle.delete(waiting);
      clearTimeout(waiting.timer);
      if (!waiting.link.usable) continue;
      waiting.link.keepAlive(true);
      return waiting.link;
    }
    // Compiled once: the next engine of the kind gets the code, and the reason why it is no better one.
    const first = this.#compiled.get(wanted.engine);
    const link = await connect({ ...wanted, ...first?.started }, this.#assets, signal);
    this.#links.add(link);
    if (!first && link.started.module) this.#compiled.set(wanted.engine, link);
    if (this.#closed) link.close({ code: "disposed" });
    return link;
  }

  /** Releases an idle engine. */
  giveBack(link: WorkerClient, wanted: Wanted): void {
    if (!link.usable) {
      this.#links.delete(link);
      return;
    }
    const timer = setTimeout(() => {
      this.#idle.delete(waiting);
      this.#links.delete(link);
      link.close({ code: "disposed" });
    }, IDLE_MS);
    const waiting: Idle = { link, key: keyOf(wanted), timer };
    this.#idle.add(waiting);
    // An engine that rests does not keep a Node process alive, nor does its timer.
    link.keepAlive(false);
    if (typeof timer === "object") (timer as { unref?: () => void }).unref?.();
  }

  /** Terminates all engines, and those that are released later. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#idle) clearTimeout(timer);
    this.#idle.clear();
    for (const link of this.#links) link.close({ code: "disposed" });
    this.#links.clear();
  }
}

const keyOf = ({ engine }: Wanted) => `${engine}`;
