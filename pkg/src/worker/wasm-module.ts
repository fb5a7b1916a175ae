/** The wasm module as it is: functions over numbers, texts in its memory. `crates/client/src/edge.rs` is the other side. */
import type { Failure } from "../common/errors.js";

/** What a module exports, compiled or translated to JavaScript. Nothing is imported. */
export interface Exports {
  memory: { buffer: ArrayBuffer };
  reserve(length: number): number;
  session(input: number, length: number, solveOnly: number, nowMs: number, random: number): number;
  open(input: number, length: number, ceiling: number): number;
  step(work: number): number;
  step_len(work: number): number;
  responded(
    work: number,
    status: number,
    dateMs: number,
    retryAfterMs: number,
    input: number,
    length: number,
    nowMs: number,
    random: number,
  ): void;
  unanswered(work: number, timedOut: number, nowMs: number, random: number): void;
  searched(work: number, number: number, nowMs: number, random: number): void;
  waited(work: number, nowMs: number, random: number): void;
  run(work: number, start: number, end: number): number;
  close(work: number): void;
}

/** A request without a body. */
export interface RequestStep {
  type: "request";
  method: "GET" | "POST";
  url: string;
  headers: Record<string, string>;
}

/** What is to be done next. */
export type Step =
  | RequestStep
  /** ParallelSearch all up to `maxNumber`; `able` is 0 if this module does not have the hash function. */
  | { type: "search"; maxNumber: number; able: 0 | 1 }
  | { type: "wait"; ms: number }
  | Grant
  | Solved
  | ({ type: "failed" } & Failure);

/** The end of a flow to a session. */
export interface Grant {
  type: "granted";
  token: string;
  expiresAt: string;
  /** Whether a proof of work was asked for. */
  proofOfWork: 0 | 1;
  /** The server's clock, where it is known. */
  serverMs?: number;
}

/** The end of a flow to a solution; without a header when proof of work is off. */
export interface Solved {
  type: "solved";
  header?: string;
  expiresInMs?: number;
}

/** One piece of work in a module's memory. */
export class Work {
  readonly #exports: Exports;
  readonly #work: number;

  private constructor(exports: Exports, work: number) {
    this.#exports = exports;
    this.#work = work;
  }

  /** The whole way to a session, or to a solution only. */
  static session(exports: Exports, options: object, solveOnly: boolean): Work {
    const [input, length] = handOver(exports, options);
    return new Work(exports, exports.session(input, length, +solveOnly, Date.now(), Math.random()));
  }

  /** A challenge that somebody else received. */
  static open(exports: Exports, challenge: object, ceiling: number): Work {
    const [input, length] = handOver(exports, challenge);
    return new Work(exports, exports.open(input, length, ceiling));
  }

  step(): Step {
    const start = this.#exports.step(this.#work);
    const text = new Uint8Array(this.#exports.memory.buffer, start, this.#exports.step_len(this.#work));
    return JSON.parse(new TextDecoder().decode(text)) as Step;
  }

  responded(status: number, dateMs: number, retryAfterMs: number, body: object | undefined): void {
    const [input, length] = body ? handOver(this.#exports, body) : [0, 0];
    const work = this.#work;
    this.#exports.responded(work, status, dateMs, retryAfterMs, input, length, Date.now(), Math.random());
  }

  unanswered(timedOut: boolean): void {
    this.#exports.unanswered(this.#work, +timedOut, Date.now(), Math.random());
  }

  /** The number, or -1. */
  searched(number: number): void {
    this.#exports.searched(this.#work, number, Date.now(), Math.random());
  }

  waited(): void {
    this.#exports.waited(this.#work, Date.now(), Math.random());
  }

  /** Searches `start..=end` at one go; the number, or -1. */
  run(start: number, end: number): number {
    return this.#exports.run(this.#work, start, end);
  }

  close(): void {
    this.#exports.close(this.#work);
  }
}

/** Writes an object's members where the module reads them: `[address, length]`. */
function handOver(exports: Exports, members: object): [number, number] {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) {
    if (typeof value === "string") form.set(name, `s${value}`);
    else if (value != null) form.set(name, typeof value === "number" ? `n${value}` : "other");
  }
  const text = form.toString();
  const start = exports.reserve(text.length);
  new TextEncoder().encodeInto(text, new Uint8Array(exports.memory.buffer, start, text.length));
  return [start, text.length];
}
