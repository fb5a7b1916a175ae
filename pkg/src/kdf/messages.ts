/** The messages between the page and a worker that derives keys. */
import type { Thread } from "../runtime/types.js";
import type { KeyParameters, ModuleName } from "./challenge.js";

/** The implementation that derives the keys. `webcrypto` is the browser's own PBKDF2 and SHA. */
export type KeyEngine = "simd128" | "scalar" | "webcrypto";

/** A thread that derives keys, as its owner sees it. */
export type KeyThread = Thread<KeyCommand>;

/** Starts a worker that derives keys. Throws, or calls `onBroken`, where that is refused. */
export type SpawnKeyWorker = (
  onReport: (report: KeyReport) => void,
  onBroken: (reason: string) => void,
) => KeyThread;

/** Page to worker. */
export type KeyCommand =
  /** The first message, sent once. */
  | ({
      type: "start";
      parameters: KeyParameters;
      /** The best engine to use. */
      engine: KeyEngine | undefined;
      /** Measures whether WebCrypto is faster than the module, and uses it then. */
      compares: boolean;
      /** The addresses of the modules. */
      urls: ModuleUrls;
    } & PageModule)
  /** Tries `count` counters from `first` on. */
  | { type: "search"; first: number; count: number }
  /** Ends the search; only an engine on the page receives it. */
  | { type: "stop" };

/** A module that was requested before there was a challenge. */
export interface ModuleAhead {
  module: ModuleName;
  /** The bytes of the module with SIMD; nothing where they could not be loaded. */
  bytes: Promise<ArrayBuffer | undefined>;
}

/** The module as the page has it; nothing where only a worker may be able to compile it. */
export interface PageModule {
  /** The module, compiled already. */
  compiled?: CompiledModule;
  /** The reason why there is no module, and why the worker does not request it either. */
  stalled?: string;
}

/** The name of a module's file, without its ending. */
export type ModuleFile = `kdf-${ModuleName}${"" | "-scalar"}`;

/** The addresses of modules that are not beside the package's other files. */
export type ModuleUrls = { readonly [File in ModuleFile]?: string | undefined };

/** Compiled code and what it needs. */
export interface CompiledModule {
  engine: Exclude<KeyEngine, "webcrypto">;
  module: WebAssembly.Module;
}

/** Worker to page. */
export type KeyReport =
  /** Ready for blocks, which are best a multiple of `width` counters. `version` of the package that the script is from. */
  | { type: "ready"; version: string; engine: KeyEngine; width: number; reason: string | undefined }
  /** `outOfMemory`: fewer workers may still succeed. */
  | { type: "failed"; outOfMemory: boolean; reason: string }
  /** A block is done: the counter that was found with its key in hex, or neither. */
  | { type: "searched"; found: Found | undefined; tried: number; ms: number; engine: KeyEngine };

/** A counter whose key begins with the prefix. */
export interface Found {
  counter: number;
  /** Hex digits. */
  derivedKey: string;
}

/** An engine that is ready to search. */
export interface Engine {
  readonly engine: KeyEngine;
  /** How many counters are tried at a time. */
  readonly width: number;
  /** The reason why it is not the best engine. */
  readonly reason?: string;
  search(first: number, count: number): Found | undefined | Promise<Found | undefined>;
  /** Frees the memory. */
  close(): void;
}
