/** This package's solver: `solve`, limited to one engine and one worker. */
import { SaltmineError, solve, type SolveOptions } from "saltmine";
import type { Rival } from "./rival.js";

export type Engine = NonNullable<SolveOptions["engine"]>;

export const NO_WORKER = "No worker can be started here.";

/** The feature that must be missing where the package falls back to an engine. */
export const MISSING: Record<Engine, string> = {
  simd128: "",
  scalar: "WebAssembly has no SIMD here.",
  javascript: "WebAssembly is refused here.",
  webcrypto: "WebAssembly is refused here.",
};

/** Returns the package's reason, without the part that this page itself has caused. */
export const cause = ({ reason = "" }: { reason?: string | undefined }) =>
  reason.replace(/(; )?the caller asked for no better engine$/, "");

/** Returns the solver for one engine. Its errors have a message for visitors, and the reason as their cause. */
export const saltmine = (engine: Engine, signal: AbortSignal): Rival => ({
  knowsAnEnd: true,
  load: async () => async (salt, digest, last) => {
    const challenge = {
      algorithm: "SHA-256",
      challenge: digest,
      salt,
      maxnumber: last,
      // Nobody checks it: the challenge never leaves the page.
      signature: "0".repeat(64),
    };
    try {
      const { number, backend } = await solve(challenge, { engine, workers: 1, maxNumber: last, signal });
      if (backend.thread !== "worker") throw new Error(NO_WORKER, { cause: cause(backend) });
      // The package steps down to what works, which is another row.
      if (backend.engine !== engine) throw new Error(MISSING[backend.engine], { cause: cause(backend) });
      return number;
    } catch (error) {
      if (error instanceof SaltmineError && error.code === "no_solution") return -1;
      throw error;
    }
  },
});
