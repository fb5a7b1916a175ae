/** Sends a request with the headers of the run API, and once more where a fresh token or solution helps. */

/** The parts of its client that a request uses. */
export interface FetchContext {
  /** The service's address, without a slash at its end. */
  baseUrl: string;
  fetch(input: RequestInfo | URL, init: RequestInit): Promise<Response>;
  /** Throws `invalid_options`: errors are of the entry point's class. */
  invalid(field: string, detail: string): never;
  headers(signal: AbortSignal | undefined): Promise<Record<string, string>>;
  /** Whether there is another token than the one that was refused; waits for it. */
  renewAfter(authorization: string, signal: AbortSignal | undefined): Promise<boolean>;
  /** Whether another solution may help where one was refused; prepared solutions are discarded. */
  renewSolution(): boolean;
}

/** A refusal of the solution, not of the request; the last where proof of work was off until now. */
const SOLUTION_REFUSED = /^pow_(expired|invalid|replayed|required)$/;
/** The same in the description of servers that send no reason. The flow of a session looks for these words too. */
const SOLUTION_REFUSED_DETAIL = /Bot protection|hallenge|Proof-of-work/;

export async function authorizedFetch(
  means: FetchContext,
  input: RequestInfo | URL,
  init: RequestInit | undefined,
): Promise<Response> {
  const request = typeof Request === "function" && input instanceof Request ? input : undefined;
  const url = request ? new URL(request.url) : resolve(String(input), means.baseUrl);
  if (url.origin !== new URL(means.baseUrl).origin)
    means.invalid(
      "input",
      `${url.origin} is not the origin of baseUrl, and would receive the token. Use fetch() for it.`,
    );
  const signal = init?.signal ?? request?.signal;
  const again = canBeSentAgain(request, init);
  /** Sends it; returns whether a second attempt makes sense. */
  const send = async (): Promise<[Response, () => Promise<boolean>]> => {
    const own = await means.headers(signal);
    // A Request's own headers, overruled by those of `init`; ours only where the caller says nothing.
    const headers = new Headers(init?.headers ?? request?.headers);
    for (const [name, value] of Object.entries(own)) if (!headers.has(name)) headers.set(name, value);
    const mode = init?.credentials ?? request?.credentials ?? "omit";
    const response = await means.fetch(request ?? url, {
      ...init,
      headers,
      credentials: mode,
      signal: signal ?? null,
    });
    /** Whether the request had this client's value of the header, and not the caller's own. */
    const isOurs = (name: string) => headers.get(name) === (own[name] ?? null);
    const worthIt = async () =>
      response.status === 401
        ? isOurs("Authorization") && means.renewAfter(own.Authorization as string, signal)
        : isOurs("X-Inkeep-Challenge-Solution") &&
          (await isSolutionRefused(response)) &&
          means.renewSolution();
    return [response, worthIt];
  };
  const [response, worthIt] = await send();
  // Also where the body cannot be sent again: the next request needs the token or the solution.
  const helps = again ? await worthIt() : await worthIt().catch(() => false);
  if (!again || !helps) return response;
  // The rest of the refusal is not needed.
  response.body?.cancel().catch(() => {});
  return (await send())[0];
}

/** Resolves a path after that of `baseUrl`, as the client's own requests do; an absolute URL stays unchanged. */
function resolve(given: string, baseUrl: string): URL {
  // URL ignores white space at both ends too.
  const input = given.trim();
  const isPath = input.startsWith("/") && !input.startsWith("//");
  return new URL(isPath ? baseUrl + input : input, `${baseUrl}/`);
}

/** Whether a body can be sent twice. A stream can be read only once, and the body of a Request may be one. */
function canBeSentAgain(request: Request | undefined, init: RequestInit | undefined): boolean {
  const body = init?.body;
  if (body == null) return !request || /^(GET|HEAD)$/.test(request.method);
  return !(
    (typeof ReadableStream === "function" && body instanceof ReadableStream) ||
    // Node takes these too.
    Symbol.asyncIterator in Object(body)
  );
}

/** Whether a problem document is about the solution; the response can still be read. */
async function isSolutionRefused(response: Response): Promise<boolean> {
  const { status } = response;
  if (status !== 400 && status !== 403) return false;
  try {
    const { reason, detail } = await response.clone().json();
    return (
      (status === 400 && SOLUTION_REFUSED.test(reason)) ||
      (typeof detail === "string" && SOLUTION_REFUSED_DETAIL.test(detail))
    );
  } catch {
    return false;
  }
}
