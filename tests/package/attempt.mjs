/**
 * One call of the package's `solve`, told as plain data. Runs in every runtime under test: browsers get it as text,
 * so it must not use anything from outside itself.
 *
 * Beside the package's own options: `abortBefore`, `abortAtProgress` (abort when that many progress events have
 * come), `watch` (keep the progress events), `disguise` (wrap the challenge as frameworks do).
 */
export async function attempt(saltmine, challenge, options = {}) {
  const { abortBefore, abortAtProgress, watch, disguise, ...own } = options;
  const controller = new AbortController();
  if (abortBefore) controller.abort(new Error("the visitor left"));
  const progress = [];
  let abortedAt = 0;
  let events = 0;
  if (abortBefore || abortAtProgress) own.signal = controller.signal;
  if (watch || abortAtProgress) {
    own.onProgress = (event) => {
      events += 1;
      if (watch) progress.push(event);
      if (events === abortAtProgress) {
        abortedAt = performance.now();
        controller.abort(new Error("the visitor left"));
      }
    };
  }
  const given =
    disguise === "proxy"
      ? new Proxy(challenge, {})
      : disguise === "method"
        ? { ...challenge, show() {} }
        : challenge;
  const outcome = await saltmine.solve(given, own).then(
    (result) => result,
    (error) => ({
      code: error.code,
      field: error.field,
      retryable: error.retryable,
      message: error.message,
      isReason: controller.signal.aborted && error === controller.signal.reason,
      ours: error instanceof saltmine.SaltmineError,
      abortMs: abortedAt ? performance.now() - abortedAt : undefined,
    }),
  );
  return watch ? { ...outcome, progress } : outcome;
}
