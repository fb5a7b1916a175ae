/** Reads the session and its token. Only the server can verify them. */

/** A visitor's session of one app. */
export interface Session {
  /** The bearer token (JWT) for the run API. */
  token: string;
  /** The expiry of the token: ISO 8601, UTC. */
  expiresAt: string;
  /** The visitor's identity: the token's `sub`. */
  userId: string;
  /** The app that the token is for. */
  appId: string;
  /** `signed_in`: the token is from `getAuthToken`. `anonymous`: the service issued it. */
  kind: "anonymous" | "signed_in";
}

/** Returns the anonymous session in a value of the server or a store; undefined if it is invalid, or another app's. */
export function readSession(stored: unknown, appId: string): Session | undefined {
  const { token, expiresAt } = Object(stored) as Record<string, unknown>;
  if (typeof token !== "string" || typeof expiresAt !== "string") return undefined;
  const claims = readClaims(token);
  if (!claims || typeof claims.sub !== "string" || claims.sub === "") return undefined;
  if (claims.app !== undefined && claims.app !== appId) return undefined;
  if (Number.isNaN(Date.parse(expiresAt))) return undefined;
  return { token, expiresAt, userId: claims.sub, appId, kind: "anonymous" };
}

/** Returns the claims of a JWT (RFC 7519), unverified: only the server can verify them. */
export function readClaims(token: string): Record<string, unknown> | undefined {
  try {
    const [, payload = ""] = token.split(".");
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (char) =>
      char.charCodeAt(0),
    );
    return Object(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}

/** Returns when a token was issued, by the server's clock in Unix milliseconds; NaN if it has no `iat`. */
export function issuedAtMs({ token }: Session): number {
  return Number(readClaims(token)?.iat) * 1000;
}
