/**
 * One rival in a Web Worker of its own. All try every number from 0 to a last one, on a 44-byte salt. Told
 * `{ rival, salt, last }`, it answers `{ ms }`; told `{ rival, salt, warmUpMs }`, it runs for that long and answers
 * `{ hashesPerMs }`.
 *
 * A rival that knows an end searches for a digest that is not in the range, since the order of its search is its own:
 * what it finds early would make it look fast. One that knows none goes upwards and finds the last number.
 */
const saltmine = (variant) => ({
  knowsAnEnd: true,
  load: async () => {
    const { default: init, Search } = await import("/glue/client.js");
    await init({ module_or_path: `/saltmine/${variant}.wasm` });
    return (salt, digest, last) => {
      const challenge = {
        algorithm: "SHA-256",
        challenge: digest,
        salt,
        maxnumber: last,
        signature: "0".repeat(64),
      };
      const search = Search.open(challenge, last);
      const found = search.run(0, last);
      search.free();
      return found;
    };
  },
});

const RIVALS = {
  simd128: saltmine("simd128"),
  scalar: saltmine("scalar"),
  "altcha-lib": {
    knowsAnEnd: true,
    load: async () => {
      const { solveChallenge } = await import("/altcha-lib/index.js");
      return async (salt, digest, last) =>
        (await solveChallenge(digest, salt, "SHA-256", last).promise)?.number ?? -1;
    },
  },
  "cap.js": {
    knowsAnEnd: false,
    load: async () => {
      const { default: init, solve_pow } = await import("/cap/cap_wasm.js");
      await init();
      // Its target is a prefix of the digest; a whole digest is the longest prefix.
      return (salt, digest) => Number(solve_pow(salt, digest));
    },
  },
};

let find;

async function digestOf(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Milliseconds for `last + 1` hashes. */
async function measure(rival, salt, last) {
  const { knowsAnEnd } = RIVALS[rival];
  const digest = await digestOf(salt + (knowsAnEnd ? last + 1 : last));
  const began = performance.now();
  const found = await find(salt, digest, last);
  const ms = performance.now() - began;
  const expected = knowsAnEnd ? -1 : last;
  if (found !== expected) throw new Error(`found ${found} instead of ${expected}`);
  return ms;
}

/** A rival that finds nothing at all would be fast, too. */
async function assertFinds(salt) {
  for (const number of [0, 7, 4_321, 98_765]) {
    const found = await find(salt, await digestOf(salt + number), number);
    if (found !== number) throw new Error(`found ${found}, hidden was ${number}`);
  }
}

/** Growing searches: the compiler has seen the hot code several times before it counts. */
async function warmUp(rival, salt, forMs) {
  let last = 1_000;
  for (let spent = 0; ;) {
    const ms = await measure(rival, salt, last);
    spent += ms;
    if (spent >= forMs) return (last + 1) / ms;
    last = Math.ceil(last * Math.min(4, Math.max(1.1, forMs / 4 / Math.max(ms, 0.1))));
  }
}

self.onmessage = async ({ data: { rival, salt, last, warmUpMs } }) => {
  try {
    if (!find) {
      find = await RIVALS[rival].load();
      await assertFinds(salt);
    }
    self.postMessage(
      warmUpMs === undefined
        ? { ms: await measure(rival, salt, last) }
        : { hashesPerMs: await warmUp(rival, salt, warmUpMs) },
    );
  } catch (error) {
    self.postMessage({ failed: String(error) });
  }
};
