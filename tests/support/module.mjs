/** The engines by themselves, without the package around them; in browsers, too. */

/** The environment of a search: nothing is shared, and it never pauses. */
const host = {
  signal: new AbortController().signal,
  sliceMs: Number.POSITIVE_INFINITY,
  timeoutMs: 0,
  sharing: false,
  state() {},
  progress() {},
  pause: async () => {},
  share: async () => {
    throw new Error("this engine lacks the hash function");
  },
};

/** Instantiates a wasm module; `glue` is the module's own copy of `pkg/wasm/client.js`. */
export async function instantiate(bytes, glue) {
  const { instance } = await WebAssembly.instantiate(bytes, { g: glue.imports });
  glue.__wbg_set_wasm(instance.exports);
  return glue;
}

/** Searches `start..=end` of a challenge; resolves with the number, or -1. */
export async function search(client, challenge, start, end) {
  const options = { maxNumber: Number.MAX_SAFE_INTEGER, start, end };
  return (await client.search(challenge, options, host)) ?? -1;
}
