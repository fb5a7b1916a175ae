/**
 * The calls that load every part of the package, in a page or in Node. Each ends in time: `true` for success, or the error
 * as data.
 */

/** How long one call may take, in milliseconds; an engine that does not start is given up after 10 s. */
const LIMIT_MS = 30_000;

/**
 * `solve`, `rare` and `deep` are challenges: a usual one, one with another hash function, one for several workers. `keys` are
 * challenges of version 2, by the module that derives their keys. `deepBaseUrl`: of a service whose challenges are for
 * several workers.
 */
export function calls(
  api,
  { service, solve, rare, deep, deepBaseUrl, keys, userToken, hasJavaScript = true },
) {
  const { createClient, solveChallenge } = api;
  if (api.useSession) return hookCalls(api, { service, userToken });
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
    ...(deepBaseUrl && {
      "session, several workers": client({ baseUrl: deepBaseUrl, workers: 2 }, (made) => made.session()),
    }),
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

/** The same of `useSession`, each in a component of its own; `api.react` is React with its `createRoot`. */
function hookCalls({ useSession, createClient, react }, { service, userToken }) {
  const { createElement, createRoot, StrictMode, useEffect } = react;
  const options = { ...service, storage: "memory" };
  const fetchOnPage = (...about) => globalThis.fetch(...about);

  /** Mounts the hook with `source`, passes `next(isExpected)`, the hook's next state like that, to `use`, and unmounts it. */
  const mounted =
    (source, use, { isStrict = false } = {}) =>
    async () => {
      let state, render;
      const Component = () => {
        const current = useSession(source);
        useEffect(() => {
          state = current;
          render?.();
        });
        return null;
      };
      const next = async (isExpected) => {
        while (!state || !isExpected(state)) await new Promise((resolve) => (render = resolve));
        return state;
      };
      const root = createRoot(document.createElement("div"));
      const component = createElement(Component);
      root.render(isStrict ? createElement(StrictMode, null, component) : component);
      try {
        return await use(next);
      } finally {
        root.unmount();
      }
    };
  const settled = async (next) => {
    const state = await next(({ isLoading }) => !isLoading);
    if (!state.session) throw state.error ?? new Error("There is neither a session nor an error.");
    return state;
  };
  const retried = async (next) => {
    const first = await next(({ isLoading }) => !isLoading);
    if (first.error) {
      first.retry();
      await next(({ isLoading }) => isLoading);
    }
    return settled(next);
  };

  return {
    useSession: mounted(options, settled),
    "useSession, in strict mode": mounted(options, settled, { isStrict: true }),
    "useSession, with a fetch of one's own": mounted({ ...options, fetch: fetchOnPage }, settled),
    "useSession, signed in": mounted({ ...options, getAuthToken: async () => userToken }, settled),
    "useSession, with a client of one's own": async () => {
      const client = createClient(options);
      try {
        return await mounted(client, settled)();
      } finally {
        client.dispose();
      }
    },
    "useSession, with fetch of its client": mounted(options, async (next) => {
      const { client } = await settled(next);
      return client.fetch("/run/api/chat");
    }),
    "useSession, with every solution": mounted({ ...options, challenge: "every-request" }, async (next) => {
      const { client } = await settled(next);
      return client.headers();
    }),
    "useSession, with retry": mounted(options, retried),
    "useSession, unmounted while it is loading": mounted(options, (next) => next(({ client }) => client)),
  };
}

/**
 * Makes every call, or those whose names are in `settings.only`, one after the other; `errorClass` is what each error must be
 * an instance of, where it is known.
 */
export async function attempt(api, settings, errorClass) {
  const outcomes = {};
  for (const [name, make] of Object.entries(calls(api, settings))) {
    if (settings.only && !settings.only.includes(name)) continue;
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
