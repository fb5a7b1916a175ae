/** One solver under measurement: it tries every number from 0 to a last one, and must prove that it really does. */

/** The number that `digest` is the hash of, after the salt; -1 if it is none from `first` to `first + last`. */
export type Find = (salt: string, digest: string, last: number) => number | Promise<number>;

/** A solver, not loaded yet. */
export interface Rival {
  /**
   * One that knows an end searches for a digest that is not in the range, since the order of its search is its own:
   * what it finds early would make it look fast. One that knows none goes upwards and finds the last number.
   */
  knowsAnEnd: boolean;
  /** The first number that it tries, where that is not 0. */
  first?: number;
  /** How far one must go for it to find the number at an offset, where that is not the offset itself. */
  reach?(offset: number): number;
  /** It compares 32 bits of the digest, and so finds what is not there once in 2^32 numbers. */
  errs?: boolean;
  load(): Promise<Find>;
}

/** The interface of a solver in the comparison. */
export interface Contestant {
  /** Runs it for about that long; the hashes a millisecond when it is warm. */
  warmUp(salt: string, forMs: number): Promise<number>;
  /** Milliseconds for `last + 1` hashes. */
  measure(salt: string, last: number): Promise<number>;
}

/** Where numbers are hidden to see whether they are found. */
const HIDDEN = [0, 7, 4_321, 98_765];
/** A solver that took longer to find a number does not have to find the next one. */
const PATIENCE_MS = 100;
/** More in a row are none. */
const MOST_ACCIDENTS = 3;

/** Loads it and sees whether it finds what is hidden: a solver that finds nothing at all would be fast, too. */
export async function enter(rival: Rival): Promise<Contestant> {
  const { knowsAnEnd, first = 0, reach = (offset: number) => offset, errs } = rival;
  const find = await rival.load();
  const salt = makeSalt();
  for (const offset of HIDDEN) {
    const number = first + offset;
    const began = performance.now();
    const found = await find(salt, await digestOf(salt + number), reach(offset));
    if (found !== number) throw new Error(`It found ${found} where ${number} was hidden.`);
    if (performance.now() - began > PATIENCE_MS) break;
  }

  const measure = async (salt: string, last: number) => {
    for (let beyond = 1; ; beyond += 1) {
      const digest = await digestOf(salt + (knowsAnEnd ? last + beyond : last));
      const began = performance.now();
      const found = await find(salt, digest, last);
      const ms = performance.now() - began;
      if (found === (knowsAnEnd ? -1 : last)) return ms;
      // A turn that an accident cut short is taken again, for another digest.
      if (!errs || beyond === MOST_ACCIDENTS) throw new Error(`It found ${found} in a search up to ${last}.`);
    }
  };
  return { measure, warmUp: growing(measure, 1_000) };
}

/** Growing searches, the first one up to `first`: the compiler has seen the hot code several times before it counts. */
export function growing(measure: Contestant["measure"], first: number): Contestant["warmUp"] {
  return async (salt, forMs) => {
    let last = first;
    for (let spent = 0; ;) {
      const ms = Math.max(0.1, await measure(salt, last));
      spent += ms;
      if (spent >= forMs) return (last + 1) / ms;
      last = Math.ceil(last * Math.min(4, Math.max(1.1, forMs / 4 / ms)));
    }
  };
}

/** A salt of 44 bytes, as the service issues them, or another length of the same kind. */
export function makeSalt(length = 44): string {
  const end = "?expires=1790000000&";
  const random = hex(crypto.getRandomValues(new Uint8Array(length)));
  return random.slice(end.length, length) + end;
}

/** The hexadecimal SHA-256 of a text. */
export async function digestOf(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
