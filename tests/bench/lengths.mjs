/**
 * The slowest of all salt lengths and numbers of digits, against a salt of 44 bytes and as many digits. A quick look
 * at every one finds candidates, since noise makes some slow, too; the slowest are then measured in turns with 44.
 */
import { randomBytes } from "node:crypto";
import { quartiles } from "./shared.mjs";

const LONGEST_SALT = 130;
/** A call takes microseconds: ranges of fewer candidates measure the call. */
const LEAST_DIGITS = 4;
const MOST_DIGITS = 7;
const USUAL_SALT = 44;
/** Of numbers with many digits, as many as take a few milliseconds. */
const MOST_CANDIDATES = 90_000;
const LOOK_MS = 3;
const TURN_MS = 20;
const SUSPECTS = 3;

const makeSalt = (length) => randomBytes(length).toString("hex").slice(0, length);

function makeCell(length, digits) {
  const first = 10 ** (digits - 1);
  const last = Math.min(10 ** digits - 1, first + MOST_CANDIDATES - 1);
  return { salt: makeSalt(length), first, last };
}

/** `{ worst, byDigits }`: for each number of digits the slowest length found, `{ digits, length, ratio }`. */
export async function measureLengths({ tell }, turns, progress) {
  const ask = async (lengths, digits, forMs) => {
    const cells = lengths.map((length) => makeCell(length, digits));
    const { nanoseconds, failed } = await tell({ rival: "simd128", cells, forMs });
    if (failed) throw new Error(failed);
    return nanoseconds;
  };
  const all = Array.from({ length: LONGEST_SALT + 1 }, (_, length) => length);
  const byDigits = [];
  for (let digits = LEAST_DIGITS; digits <= MOST_DIGITS; digits += 1) {
    progress(`salt lengths: numbers of ${digits} digits`);
    const looks = [await ask(all, digits, LOOK_MS), await ask(all, digits, LOOK_MS)];
    const quickest = all.map((length) => Math.min(...looks.map((look) => look[length])));
    const suspects = [...all].sort((a, b) => quickest[b] - quickest[a]).slice(0, SUSPECTS);
    const ratios = suspects.map(() => []);
    for (let turn = 0; turn < turns; turn += 1) {
      // The usual length before and after each suspect.
      const order = [USUAL_SALT, ...suspects.flatMap((length) => [length, USUAL_SALT])];
      const times = await ask(order, digits, TURN_MS);
      suspects.forEach((_, index) => {
        const usual = (times[2 * index] + times[2 * index + 2]) / 2;
        ratios[index].push(usual / times[2 * index + 1]);
      });
    }
    const found = suspects.map((length, index) => ({ digits, length, ratio: quartiles(ratios[index]) }));
    byDigits.push(slowest(found));
  }
  return { worst: slowest(byDigits), byDigits };
}

const slowest = (list) => list.reduce((a, b) => (b.ratio.median < a.ratio.median ? b : a));
