/** The shipped modules by themselves, without the package around them; in browsers, too. */

/**
 * Opens a challenge in a module's exports: `run(start, end)` gives the number or -1, `close()` gives the memory back.
 * The input is what `pkg/src/worker/wasm-module.ts` writes: the members as a form, each value after the letter of its type.
 */
export function openChallenge(exports, challenge, ceiling = 2 ** 53 - 1) {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(challenge))
    form.set(name, `${typeof value === "string" ? "s" : "n"}${value}`);
  const text = new TextEncoder().encode(form.toString());
  const input = exports.reserve(text.length);
  new Uint8Array(exports.memory.buffer).set(text, input);
  const work = exports.open(input, text.length, ceiling);
  return { run: (start, end) => exports.run(work, start, end), close: () => exports.close(work) };
}
