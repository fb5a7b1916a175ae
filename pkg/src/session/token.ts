/** The session and its token, as the page reads them: nothing is verified, which only the server can do. */

/** A visitor's session of one app. */
export interface Session {
  /** The bearer token (JWT) for every later call. */
  token: string;
  /** When it expires: ISO 8601, UTC. */
  expiresAt: string;
  /** The visitor's identity: the token's `sub`. */
  userId: string;
  /** The app that the token is for. */
  appId: string;
  /** `signed_in`: the token is from `getAuthToken`. `anonymous`: the service issued it. */
  kind: "anonymous" | "signed_in";
}

/** Makes an anonymous session from what the server or a store has; undefined if it is none, or another app's. */
export function readSession(stored: unknown, appId: string): Session | undefined {
  const { token, expiresAt } = Object(stored) as Record<string, unknown>;
  if (typeof token !== "string" || typeof expiresAt !== "string") return undefined;
  const claims = readClaims(token);
  if (!claims || typeof claims.sub !== "string" || claims.sub === "") return undefined;
  if (claims.app !== undefined && claims.app !== appId) return undefined;
  if (Number.isNaN(Date.parse(expiresAt))) return undefined;
  return { token, expiresAt, userId: claims.sub, appId, kind: "anonymous" };
}

/** Returns the claims of a JWT (RFC 7519), unverified: only the server can judge them. */
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

/** When a token was issued, by the server's clock; NaN if it does not say. */
export function issuedAtMs({ token }: Session): number {
  return Number(readClaims(token)?.iat) * 1000;
}
