/** `fetch` with the headers of the run API, and once more where a fresh token or solution helps. */

/** Where the headers come from. */
export interface Credentials {
  headers(signal: AbortSignal | undefined): Promise<Record<string, string>>;
  /** Whether another token than the one that was refused can be had; waits for it. */
  renewAfter(headers: Record<string, string>, signal: AbortSignal | undefined): Promise<boolean>;
  /** Learns the server's clock. */
  learn(serverMs: number): void;
}

const SOLUTION = "X-Inkeep-Challenge-Solution";
/** A refusal of the solution, not of the request. */
const SOLUTION_REFUSED = /^pow_(expired|invalid|replayed)$/;

export async function authorizedFetch(
  fetch: typeof globalThis.fetch,
  credentials: Credentials,
  input: RequestInfo | URL,
  init: RequestInit | undefined,
): Promise<Response> {
  const request = typeof Request === "function" && input instanceof Request ? input : undefined;
  const signal = init?.signal ?? request?.signal ?? undefined;
  const send = async () => {
    const own = await credentials.headers(signal);
    // A Request's own headers, overruled by those of `init`; ours only where the caller says nothing.
    const headers = new Headers(init?.headers ?? request?.headers);
    for (const [name, value] of Object.entries(own)) if (!headers.has(name)) headers.set(name, value);
    const credentialsMode = init?.credentials ?? (request ? request.credentials : "omit");
    const response = await fetch(input, { ...init, headers, credentials: credentialsMode });
    credentials.learn(Date.parse(response.headers.get("date") ?? ""));
    return { own, response };
  };
  const again = canBeSentAgain(request, init);
  const { own, response } = await send();
  const worthIt =
    again &&
    ((response.status === 401 && (await credentials.renewAfter(own, signal))) ||
      (response.status === 400 && SOLUTION in own && SOLUTION_REFUSED.test(await reasonOf(response))));
  if (!worthIt) return response;
  // Whatever is left of the refusal is of no use.
  response.body?.cancel().catch(() => {});
  return (await send()).response;
}

/** A stream can be read once; of a Request nobody can tell what its body is. */
function canBeSentAgain(request: Request | undefined, init: RequestInit | undefined): boolean {
  const { body } = init ?? {};
  if (body !== undefined) return !(typeof ReadableStream === "function" && body instanceof ReadableStream);
  return !request || /^(GET|HEAD)$/.test(request.method);
}

/** The reason in a problem document; the response can still be read. */
async function reasonOf(response: Response): Promise<string> {
  try {
    return String((await response.clone().json()).reason);
  } catch {
    return "";
  }
}
