/**
 * One rival in a Web Worker of its own. All try every number from 0 to a last one, on a 44-byte salt. Told
 * `{ rival, salt, last }`, it answers `{ ms }`; told `{ rival, salt, warmUpMs }`, it runs for that long and answers
 * `{ hashesPerMs }`; ours, told `{ rival, salt, cells, forMs }`, answers `{ nanoseconds }`.
 *
 * A rival that knows an end searches for a digest that is not in the range, since the order of its search is its own:
 * what it finds early would make it look fast. One that knows none goes upwards and finds the last number.
 */
const saltmine = (variant) => ({
  knowsAnEnd: true,
  load: async () => {
    const { default: init, Search } = await import("/glue/client.js");
    await init({ module_or_path: `/saltmine/${variant}.wasm` });
    open = (salt, digest, last) =>
      Search.open(
        { algorithm: "SHA-256", challenge: digest, salt, maxnumber: last, signature: "0".repeat(64) },
        last,
      );
    return (salt, digest, last) => {
      const search = open(salt, digest, last);
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
  "pow-buster": {
    knowsAnEnd: true,
    // It tries numbers of nine digits only, from this one on.
    first: 100_000_000,
    load: async () => {
      const bytes = await (await fetch("/pow-buster/pow-buster.wasm")).arrayBuffer();
      const { exports } = (await WebAssembly.instantiate(bytes)).instance;
      return (salt, digest, last) => {
        const { read, written } = new TextEncoder().encodeInto(
          salt,
          new Uint8Array(exports.memory.buffer, exports.salt(), 256),
        );
        if (read !== salt.length) throw new Error("the salt is too long");
        const found = exports.search(written, Number.parseInt(digest.slice(0, 8), 16), last + 1);
        // Without a find it says how many it tried, by fours.
        if (found < 0 && -found !== Math.ceil((last + 1) / 4) * 4) throw new Error(`tried ${-found}`);
        return found < 0 ? -1 : found;
      };
    },
  },
};

let find;
/** Ours alone: a challenge read, its `run(first, last)` still to be called. */
let open;

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
async function assertFinds(rival, salt) {
  for (const offset of [0, 7, 4_321, 98_765]) {
    const number = (RIVALS[rival].first ?? 0) + offset;
    // pow-buster's four lanes are ten million numbers apart: within the first ten million, one in four counts.
    const found = await find(
      salt,
      await digestOf(salt + number),
      RIVALS[rival].first ? 4 * offset + 3 : number,
    );
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

/** For each cell `{ salt, first, last }` nanoseconds a candidate, searched again and again for at least `forMs`. */
async function measureCells(cells, forMs) {
  const absent = await digestOf("in no range");
  return cells.map(({ salt, first, last }) => {
    const search = open(salt, absent, last);
    const began = performance.now();
    let runs = 0;
    let ms;
    do {
      if (search.run(first, last) !== -1) throw new Error("found what is not there");
      runs += 1;
      // A look at the clock costs as much as a search of ten.
      while (runs % 64 !== 0 && last - first < 100) {
        search.run(first, last);
        runs += 1;
      }
      ms = performance.now() - began;
    } while (ms < forMs);
    search.free();
    return (ms * 1e6) / (runs * (last - first + 1));
  });
}

self.onmessage = async ({ data: { rival, salt, last, warmUpMs, cells, forMs } }) => {
  try {
    if (!find) {
      find = await RIVALS[rival].load();
      await assertFinds(rival, salt);
    }
    if (cells) return self.postMessage({ nanoseconds: await measureCells(cells, forMs) });
    self.postMessage(
      warmUpMs === undefined
        ? { ms: await measure(rival, salt, last) }
        : { hashesPerMs: await warmUp(rival, salt, warmUpMs) },
    );
  } catch (error) {
    self.postMessage({ failed: String(error) });
  }
};
