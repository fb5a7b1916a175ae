/**
 * The interface of the wasm module, written by the build: see crates/client/src/edge.
 */

export interface HttpRequest {
    method: "GET" | "POST";
    url: string;
    headers: Record<string, string>;
    /** JSON text; absent in a request without a body. */
    body?: string;
}

/** An HTTP response as plain data. A header is null when it is absent or cannot be read (CORS). */
export interface HttpResponse {
    status: number;
    /** Header `Date`. */
    date: string | null;
    /** Header `Retry-After`. */
    retryAfter: string | null;
    /** Header `X-Request-Id`. */
    requestId: string | null;
    /** The body. */
    text: string;
    /** The age of the response, in milliseconds; 0 when absent. */
    ageMs?: number;
}

/** A request that got no response. */
export interface NoResponse {
    /** Whether the request exceeded the time limit. */
    timedOut: boolean;
    cause: string;
}

/** The options of `session`, validated by the caller. */
export interface SessionOptions {
    /** The service's address, without a slash at its end. */
    baseUrl: string;
    /** The app's id, percent-encoded for a path. */
    appPath: string;
    /**
     * Paths of the challenge, query included, tried in order while the service responds 404; then proof of work is off.
     * `/run/auth/pow/challenge` receives the solution without an envelope, every other path in `{"payload"}`.
     */
    challengePaths: readonly string[];
    /** The current token, so that the visitor keeps their identity. */
    token?: string | undefined;
    /** The header value of a solution that was prepared ahead. */
    solution?: string | undefined;
    /** The largest `maxnumber` that is searched. */
    maxNumber: number;
    /** Ends with a solution instead of a session. */
    solveOnly: boolean;
    /** How long ago the caller began with its own requests, in milliseconds: the flow's time for retries began then. */
    elapsedMs?: number | undefined;
    /**
     * The response to `challengePaths[0]` that the caller requested ahead: used in place of the flow's first request, whose
     * retries are the flow's own.
     */
    challengeResponse?: HttpResponse | NoResponse | undefined;
    /**
     * The response to the request for a session that the caller sent itself, with `solution`, or after
     * `challengeResponse` had the status 404: used in place of the flow's own.
     */
    sessionResponse?: HttpResponse | NoResponse | undefined;
}

/** The result of `session`: a session. */
export interface Grant {
    type: "granted";
    /** The bearer token (JWT). */
    token: string;
    /** Expiry as the server wrote it (ISO 8601). */
    expiresAt: string;
    /** Whether a proof of work was required. */
    proofOfWork: boolean;
    /** The server's clock in Unix milliseconds, where it is known. */
    serverMs?: number;
    /** The entry of `challengePaths` that responded with a challenge, if one was requested. */
    challengePath?: string;
}

/** The result of `session` with `solveOnly`: a solution; without `header` when proof of work is off. */
export interface Solved {
    type: "solved";
    /** The value of `X-Inkeep-Challenge-Solution`. */
    header?: string;
    /** Milliseconds until the challenge expires, where that and the server's clock are known. */
    expiresInMs?: number;
    /** The entry of `challengePaths` that responded with a challenge. */
    challengePath?: string;
}

/** A challenge (ALTCHA v1) as the server sends it. */
export interface ChallengeMembers {
    algorithm: string;
    challenge: string;
    maxnumber?: number | undefined;
    salt: string;
    signature: string;
}

/** The options of `solve` and `search`. */
export interface SearchOptions {
    /** The largest `maxnumber` that is searched. */
    maxNumber: number;
    /** The first candidate. */
    start: number;
    /** The last candidate; the challenge's `maxnumber` when absent. */
    end?: number | undefined;
}

/** The rest of a search that the host takes over. */
export interface SearchRest {
    challenge: ChallengeMembers;
    start: number;
    end: number;
    /** Candidates searched before `start`, in how many milliseconds; zeros when this module lacks the hash function. */
    searched: number;
    elapsedMs: number;
}

/** The solution of a challenge of ALTCHA version 2. */
export interface SolutionV2 {
    counter: number;
    /** Hex digits. */
    derivedKey: string;
    /** How long the search took, in milliseconds. */
    time: number;
}

/** The value of a rejected promise of the exported functions. An abort rejects with the code `aborted`. */
export interface ClientFailure {
    code: string;
    /** The HTTP status, when there was a response. */
    status?: number;
    /** The JSON member that is missing or malformed. */
    field?: string;
    /** The server's or the browser's description. */
    detail?: string;
    /** The server's id of the refused request. */
    requestId?: string;
    /** The server's `Retry-After` as milliseconds from now. */
    retryAfterMs?: number;
}

/** The functions of the environment that the flow calls. */
export interface Host {
    /** Aborts the work. */
    readonly signal: AbortSignal;
    /** The length of one slice of a search, in milliseconds. */
    readonly sliceMs: number;
    /** The time limit of one request, in milliseconds. */
    readonly timeoutMs: number;
    /** The header `Origin`, where the runtime sends none by itself. */
    readonly origin?: string | undefined;
    /** Whether a long search is given to `share`. A hash function that this module lacks is always given to it. */
    readonly sharing: boolean;
    /** Sends a request in place of the global `fetch`, within `timeoutMs`. */
    readonly request?: ((request: HttpRequest) => Promise<HttpResponse | NoResponse>) | undefined;
    /** Receives the step that begins. */
    state(state: "challenge" | "solving" | "waiting" | "session"): void;
    /** Receives the progress of a search: candidates searched, of how many, in how many milliseconds. */
    progress(searched: number, total: number, elapsedMs: number): void;
    /** Yields to the event loop between two slices. */
    pause(): Promise<void>;
    /** Searches the rest of a range; resolves with the number, or null. */
    share(rest: SearchRest): Promise<number | null>;
    /**
     * Solves a challenge of ALTCHA version 2, which is the JSON text `{"parameters":…,"signature":…}` with the values as the
     * server wrote them; resolves with null when there is no solution, or none within `limitMs`, after which it would come too
     * late; rejects with a `ClientFailure`. Without this function such a challenge is `algorithm_unsupported`.
     */
    readonly solveV2?: ((challenge: string, limitMs?: number) => Promise<SolutionV2 | null>) | undefined;
}



/**
 * Searches a part of a challenge for another worker: the whole of `start..=end`, without sharing it.
 */
export declare function search(challenge: ChallengeMembers, options: SearchOptions, host: Host): Promise<number | null>;

/**
 * Runs the whole flow: to a session, or to a solution with `solveOnly`.
 */
export declare function session(options: SessionOptions, host: Host): Promise<Grant | Solved>;

/**
 * Searches a challenge that the caller received; resolves with the number, or null.
 */
export declare function solve(challenge: ChallengeMembers, options: SearchOptions, host: Host): Promise<number | null>;
