/** For what a busy machine can spoil: the time that something takes. */

/** Makes up to `count` attempts, and fails with the last error if none succeeds. */
export async function oneOf(count, attempt) {
  for (let left = count - 1; left > 0; left -= 1) {
    try {
      return await attempt();
    } catch {
      // The next one may be lucky.
    }
  }
  return attempt();
}
