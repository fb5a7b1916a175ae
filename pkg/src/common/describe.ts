/** A thrown value in a few words, with its cause: Node's `fetch failed` says nothing by itself. */
export function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? `${thrown.message}: ${describe(thrown.cause)}` : thrown.message;
}
