/** The solvers from npm that saltmine is compared with, as their users call them. */
import type { Rival } from "./rival.js";

export const rivals = {
  "altcha-lib": {
    knowsAnEnd: true,
    load: async () => {
      const { solveChallenge } = await import("altcha-lib");
      return async (salt, digest, last) =>
        (await solveChallenge(digest, salt, "SHA-256", last).promise)?.number ?? -1;
    },
  },
  "cap.js": {
    knowsAnEnd: false,
    load: async () => {
      const { default: init, solve_pow } = await import("@cap.js/wasm/browser/cap_wasm.js");
      // It looks for its module beside its script.
      await init();
      // Its target is a prefix of the digest; a whole digest is the longest prefix.
      return (salt, digest) => Number(solve_pow(salt, digest));
    },
  },
} satisfies Record<string, Rival>;
