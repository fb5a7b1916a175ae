/** Sites opened under the policies that leave one engine each. */
import assert from "node:assert/strict";
import { serveFiles } from "../support/static.mjs";
import { assertToken } from "./outcome.mjs";

/** Each engine with its thread, and the policy under which it is the best: proves that a build has all of their files. */
export const ENGINES = [
  ["simd128", "worker", undefined],
  ["javascript", "worker", "script-src 'self' 'unsafe-inline'"],
  ["simd128", "page", "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; worker-src 'none'"],
  ["javascript", "page", "script-src 'self' 'unsafe-inline'; worker-src 'none'"],
];
export const BEST = ENGINES.slice(0, 1);

/** Returns what opens a site's page with each engine and looks for files that it requested in vain. */
export const engineAssertions = (outcomeOf) =>
  async function assertEngines(t, site, { path = "/", engines = ENGINES } = {}) {
    for (const [engine, thread, policy] of engines) {
      const served = await serveFiles({
        ...site,
        headers: { ...site.headers, ...(policy ? { "content-security-policy": policy } : {}) },
      });
      await t.test(`${engine} on the ${thread}`, async () => {
        assertToken(await outcomeOf(served.origin + path), engine, thread);
        const missing = served.sent.filter(({ status }) => status !== 200).map((sent) => sent.path);
        assert.deepEqual(missing, []);
      });
      await served.close();
    }
  };
