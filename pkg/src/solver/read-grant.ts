/** Reads the session in a response that the page has requested itself. */
import type { Grant, HttpResponse, NoResponse } from "../worker/wasm.js";

/** Returns the session; undefined for any other response, which the flow handles. */
export function readGrant(response: HttpResponse | NoResponse, proofOfWork: boolean): Grant | undefined {
  if (!("status" in response) || response.status !== 200) return undefined;
  try {
    const { token, expiresAt } = JSON.parse(response.text);
    if (typeof token !== "string" || typeof expiresAt !== "string" || !token || !expiresAt) return undefined;
    const grant: Grant = { type: "granted", token, expiresAt, proofOfWork };
    const serverMs = Date.parse(response.date ?? "");
    return Number.isNaN(serverMs) ? grant : { ...grant, serverMs };
  } catch {
    return undefined;
  }
}
