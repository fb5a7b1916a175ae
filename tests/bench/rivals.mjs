/**
 * The worker that one solver is measured in: those that the demo's page measures, and beside them the modules as they
 * are shipped and pow-buster. Told `{ cells, forMs }` in addition, ours answers `{ nanoseconds }`.
 */
import { digestOf } from "../../www/src/bench/rival.ts";
import { rivals as published } from "../../www/src/bench/rivals.ts";
import { answerer } from "../../www/src/bench/ring.ts";
import * as glue from "../../pkg/wasm/client.js";
import { instantiate, search } from "../support/module.mjs";

const WASM = { simd128: "/saltmine/simd128.wasm", scalar: "/saltmine/scalar.wasm" };

async function loadClient(engine) {
  // The specifiers are the page's own, and no business of the bundler's.
  if (engine === "javascript") return (await (await import("/saltmine/javascript.js")).load()).client;
  const response = await fetch(WASM[engine]);
  return instantiate(await response.arrayBuffer(), glue);
}

const challengeOf = (salt, digest, last) => ({
  algorithm: "SHA-256",
  challenge: digest,
  salt,
  maxnumber: last,
  signature: "0".repeat(64),
});

const saltmine = (engine) => ({
  knowsAnEnd: true,
  load: async () => {
    const client = await loadClient(engine);
    return (salt, digest, last) => search(client, challengeOf(salt, digest, last), 0, last);
  },
});

const answer = answerer({
  ...published,
  simd128: saltmine("simd128"),
  scalar: saltmine("scalar"),
  javascript: saltmine("javascript"),
  "pow-buster": {
    knowsAnEnd: true,
    errs: true,
    // It tries numbers of nine digits only, from this one on.
    first: 100_000_000,
    // Its four lanes are ten million numbers apart: within the first ten million, one in four counts.
    reach: (offset) => 4 * offset + 3,
    load: async () => {
      const { instance } = await WebAssembly.instantiateStreaming(fetch("/pow-buster/pow-buster.wasm"));
      const { exports } = instance;
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
});

let clientOfCells;

/** For each cell `{ salt, first, last }` nanoseconds a candidate, searched again and again for at least `forMs`. */
async function measureCells(engine, cells, forMs) {
  clientOfCells ??= await loadClient(engine);
  const absent = await digestOf("in no range");
  const nanoseconds = [];
  for (const { salt, first, last } of cells) {
    const began = performance.now();
    let runs = 0;
    let ms;
    do {
      if ((await search(clientOfCells, challengeOf(salt, absent, last), first, last)) !== -1)
        throw new Error("found what is not there");
      runs += 1;
      ms = performance.now() - began;
    } while (ms < forMs);
    nanoseconds.push((ms * 1e6) / (runs * (last - first + 1)));
  }
  return nanoseconds;
}

self.onmessage = async ({ data }) => {
  if (!data.cells) return self.postMessage(await answer(data));
  try {
    self.postMessage({ nanoseconds: await measureCells(data.rival, data.cells, data.forMs) });
  } catch (error) {
    self.postMessage({ failed: String(error) });
  }
};
