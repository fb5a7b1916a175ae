/**
 * The calls that load every part of the package, in a page or in Node. Each ends in time: `true` for success, or the error
 * as data.
 */

/** How long one call may take, in milliseconds; an engine that does not start is given up after 10 s. */
const LIMIT_MS = 30_000;

/**
 * `solve`, `rare` and `deep` are challenges: a usual one, one with another hash function, one for several workers. `keys` are
 * challenges of version 2, by the module that derives their keys.
 */
export function calls(api, { service, solve, rare, deep, keys, userToken, hasJavaScript = true }) {
  const { createClient, solveChallenge } = api;
  if (solveChallenge) {
    const { challenge, salt, algorithm, maxnumber } = solve;
    return {
      solveChallenge: () => solveChallenge(challenge, salt, algorithm, maxnumber).promise,
      "solveChallenge, version 2": () => solveChallenge({ challenge: keys.sha }),
    };
  }
  const client = (options, use) => async () => {
    const made = createClient({ ...service, storage: "memory", ...options });
    try {
      return await use(made);
    } finally {
      made.dispose();
    }
  };
  const fetchOnPage = (...about) => globalThis.fetch(...about);
  const bothOf = (made) => Promise.all([made.challengeHeaders(), made.challengeHeaders()]);
  return {
    session: client({}, (made) => made.session()),
    "session, with a fetch of one's own": client({ fetch: fetchOnPage }, (made) => made.session()),
    "session, signed in": client({ getAuthToken: async () => userToken }, (made) => made.session()),
    headers: client({ challenge: "every-request" }, (made) => made.headers()),
    challengeHeaders: client({}, bothOf),
    "challengeHeaders, with a fetch of one's own": client({ fetch: fetchOnPage }, bothOf),
    fetch: client({}, (made) => made.fetch("/run/api/chat")),
    prefetch: client({}, async (made) => {
      made.prefetch();
      await made.session();
    }),
    solve: () => api.solve(solve),
    "solve, another hash function": () => api.solve(rare),
    "solve, several workers": () => api.solve(deep, { workers: 2 }),
    ...Object.fromEntries(
      Object.entries(keys).map(([module, challenge]) => [
        `solve, version 2 with ${module}`,
        () => api.solve(challenge),
      ]),
    ),
    ...(hasJavaScript && {
      "solve, in JavaScript": () => api.solve(solve, { engine: "javascript" }),
      "solve, another hash function in JavaScript": () => api.solve(rare, { engine: "javascript" }),
    }),
  };
}

/** Makes every call, one after the other; `errorClass` is what each error must be an instance of, where it is known. */
export async function attempt(api, settings, errorClass) {
  const outcomes = {};
  for (const [name, make] of Object.entries(calls(api, settings))) {
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, LIMIT_MS, { code: `nothing within ${LIMIT_MS} ms` });
    });
    const outcome = make().then(
      () => true,
      (error) => ({
        code: String(error?.code ?? error),
        message: String(error?.message),
        isOurs: errorClass === undefined || error instanceof errorClass,
      }),
    );
    outcomes[name] = await Promise.race([outcome, late]);
    clearTimeout(timer);
  }
  return outcomes;
}
