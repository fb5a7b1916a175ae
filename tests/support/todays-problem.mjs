/** The refusals of today's service: for people to read, without a `reason`. */
import { randomUUID } from "node:crypto";

const CODES = {
  400: ["bad_request", "Bad Request"],
  401: ["unauthorized", "Unauthorized"],
  403: ["forbidden", "Forbidden"],
  404: ["not_found", "Not Found"],
  422: ["unprocessable_entity", "Unprocessable Entity"],
  429: ["too_many_requests", "Too Many Requests"],
};

/** A refusal in both forms that clients read. */
export function problem(status, detail, headers = {}) {
  const [code, title] = CODES[status];
  const requestId = randomUUID();
  const body = { title, status, detail, code, requestId, error: { code, message: detail } };
  return {
    status,
    type: "application/problem+json",
    headers: { "x-request-id": requestId, "cache-control": "no-store", ...headers },
    body,
  };
}

/**
 * The rate limit's responses to a path's requests, for `service.refusals`: the first `count` requests are refused, the
 * others get the service's own response.
 */
export function rateLimit(retryAfterS, count = Infinity) {
  let left = count;
  return () =>
    left-- > 0 ? problem(429, "Too many requests", { "retry-after": String(retryAfterS) }) : undefined;
}
