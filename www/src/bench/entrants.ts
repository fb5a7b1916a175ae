/** The solvers that the page compares. */
import { version as saltmine } from "saltmine/package.json";
import { devDependencies } from "../../package.json";
import type { Engine } from "./saltmine.js";

/** A row of a table. */
export interface Listed {
  /** The id in the measuring loop. */
  name: string;
  label: string;
  /** A description of a few words. */
  note: string;
  version: string;
  isOurs: boolean;
}

/** A solver of ALTCHA version 1. */
export interface Entrant extends Listed {
  /** Set for this package's engines. */
  engine?: Engine;
}

/** Whom all are compared with: what such pages run today. */
export const USUAL = "altcha-lib";

export const ENTRANTS: readonly Entrant[] = [
  {
    name: "simd128",
    label: "saltmine, SIMD",
    note: "WebAssembly, four hashes at once",
    version: saltmine,
    isOurs: true,
    engine: "simd128",
  },
  {
    name: "scalar",
    label: "saltmine, scalar",
    note: "WebAssembly without SIMD",
    version: saltmine,
    isOurs: true,
    engine: "scalar",
  },
  {
    name: "javascript",
    label: "saltmine, JavaScript",
    note: "where WebAssembly is refused",
    version: saltmine,
    isOurs: true,
    engine: "javascript",
  },
  {
    name: "cap.js",
    label: "@cap.js/wasm",
    note: "WebAssembly, one hash at a time",
    version: devDependencies["@cap.js/wasm"],
    isOurs: false,
  },
  {
    name: USUAL,
    label: "altcha-lib",
    note: "WebCrypto, one call a hash",
    version: devDependencies["altcha-lib"],
    isOurs: false,
  },
];

/** Whom the solvers of version 2 are compared with. */
export const USUAL_KEYS = "keys-widget";

/** The solvers of ALTCHA version 2, each with as many workers as its users get. */
export const KEY_ENTRANTS: readonly Listed[] = [
  {
    name: "keys-saltmine",
    label: "saltmine",
    note: "WebAssembly, four keys at once",
    version: saltmine,
    isOurs: true,
  },
  {
    name: USUAL_KEYS,
    label: "altcha widget",
    note: "WebCrypto, one key at a time",
    version: devDependencies["altcha-3"].replace("npm:altcha@", ""),
    isOurs: false,
  },
];
