/**
 * One rival in a Web Worker of its own. All do the same: from a 44-byte salt and a digest to the number, every
 * candidate from 0 up. Told `{ rival, salt, number }`, it hides that number, finds it, and answers `{ ms }`; told
 * `{ rival, warmUpMs }`, it runs for that long and answers `{ hashesPerMs }`.
 */
const saltmine = (variant) => async () => {
  const { default: init, Search } = await import("/glue/client.js");
  await init({ module_or_path: `/saltmine/${variant}.wasm` });
  return (salt, digest, number) => {
    const challenge = {
      algorithm: "SHA-256",
      challenge: digest,
      salt,
      maxnumber: number,
      signature: "0".repeat(64),
    };
    const search = Search.open(challenge, number);
    const found = search.run(0, number);
    search.free();
    return found;
  };
};

const RIVALS = {
  simd128: saltmine("simd128"),
  scalar: saltmine("scalar"),
  "altcha-lib": async () => {
    const { solveChallenge } = await import("/altcha-lib/index.js");
    return async (salt, digest, number) =>
      (await solveChallenge(digest, salt, "SHA-256", number).promise).number;
  },
  // Its target is a prefix of the digest; a whole digest is the longest prefix.
  "cap.js": async () => {
    const { default: init, solve_pow } = await import("/cap/cap_wasm.js");
    await init();
    return (salt, digest) => Number(solve_pow(salt, digest));
  },
};

let find;

async function digestOf(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function measure(salt, number) {
  const digest = await digestOf(salt + number);
  const began = performance.now();
  const found = await find(salt, digest, number);
  const ms = performance.now() - began;
  if (found !== number) throw new Error(`found ${found}, hidden was ${number}`);
  return ms;
}

/** Growing searches: the compiler has seen the hot code several times before it counts. */
async function warmUp(salt, forMs) {
  let number = 1_000;
  for (let spent = 0; ;) {
    const ms = await measure(salt, number);
    spent += ms;
    if (spent >= forMs) return (number + 1) / ms;
    number = Math.ceil(number * Math.min(4, Math.max(1.1, forMs / 4 / Math.max(ms, 0.1))));
  }
}

self.onmessage = async ({ data: { rival, salt, number, warmUpMs } }) => {
  try {
    find ??= await RIVALS[rival]();
    self.postMessage(
      warmUpMs === undefined
        ? { ms: await measure(salt, number) }
        : { hashesPerMs: await warmUp(salt, warmUpMs) },
    );
  } catch (error) {
    self.postMessage({ failed: String(error) });
  }
};
