/** Gets an anonymous session from the service, with a proof of work where the service requires one. */
import { SaltmineError } from "../common/errors.js";
import type { Flow } from "../solver/flow.js";
import type { Grant } from "../worker/wasm.js";
import type { RequestSession } from "./session-request.js";
import { issuedAtMs, readSession } from "./token.js";

/**
 * Returns a function that requests an anonymous session. `spareSolution` returns a solution that was prepared for another
 * request, if there is one.
 */
export function anonymousSession(
  flow: Flow,
  spareSolution: () => string | undefined,
  appId: string,
): RequestSession {
  return async ({ token, signal, onState, onProgress }) => {
    const run = { token, solution: spareSolution(), solveOnly: false, signal, onState, onProgress };
    const { value, backend, measured } = await flow.run(run);
    const grant = value as Grant;
    const session = readSession(grant, appId);
    if (!session) {
      const detail = "The token is not a JWT of this app with a subject.";
      throw new SaltmineError({ code: "response_malformed", detail });
    }
    return {
      session,
      source: "network",
      // Where Date cannot be read, the token contains the time at which it was issued.
      serverMs: grant.serverMs ?? issuedAtMs(session),
      proofOfWork: grant.proofOfWork,
      backend,
      measured,
    };
  };
}
