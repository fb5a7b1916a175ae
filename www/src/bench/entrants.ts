/** Who takes part on the page. */
import { version as saltmine } from "saltmine/package.json";
import { devDependencies } from "../../package.json";
import type { Engine } from "./saltmine.js";

export interface Entrant {
  /** By which the measuring loop knows it. */
  name: string;
  label: string;
  /** What it is, in a few words. */
  note: string;
  version: string;
  /** Set for ours. */
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
    engine: "simd128",
  },
  {
    name: "scalar",
    label: "saltmine, scalar",
    note: "WebAssembly without SIMD",
    version: saltmine,
    engine: "scalar",
  },
  {
    name: "javascript",
    label: "saltmine, JavaScript",
    note: "where WebAssembly is refused",
    version: saltmine,
    engine: "javascript",
  },
  {
    name: "cap.js",
    label: "@cap.js/wasm",
    note: "WebAssembly, one hash at a time",
    version: devDependencies["@cap.js/wasm"],
  },
  {
    name: USUAL,
    label: "altcha-lib",
    note: "WebCrypto, one call a hash",
    version: devDependencies["altcha-lib"],
  },
];
