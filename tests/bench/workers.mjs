/** Two workers against one: the package's own `solve` on a range without a solution. */
import { quartiles } from "./shared.mjs";

const CANDIDATES = 20_000_000;

/** `{ ratio, ms }`: milliseconds for the range with one worker and with two, in turns. */
export async function measureWorkers({ evaluate }, { entryPoints }, turns, progress) {
  const ms = { 1: [], 2: [] };
  const search = (workers, candidates) =>
    evaluate(searchAll, {
      entryPoint: entryPoints.web,
      workers,
      candidates,
      salt: `${Math.random()}?expires=1790000000&`,
    });
  // Starts both workers and warms their compilers up.
  await search(2, CANDIDATES / 4);
  for (let turn = 0; turn < turns; turn += 1) {
    progress(`workers: turn ${turn + 1} of ${turns}`);
    for (const workers of turn % 2 ? [2, 1] : [1, 2]) ms[workers].push(await search(workers, CANDIDATES));
  }
  return { candidates: CANDIDATES, ratio: quartiles(ms[1].map((time, turn) => time / ms[2][turn])), ms };
}

/** In the page. */
async function searchAll({ entryPoint, workers, candidates, salt }) {
  const { solve } = await import(entryPoint);
  const hex = "0".repeat(64);
  const padded = salt.padStart(44, "0").slice(-44);
  const challenge = {
    algorithm: "SHA-256",
    challenge: hex,
    salt: padded,
    maxnumber: candidates - 1,
    signature: hex,
  };
  const began = performance.now();
  try {
    await solve(challenge, { workers, maxNumber: candidates });
  } catch (error) {
    if (error.code !== "no_solution") throw error;
    return performance.now() - began;
  }
  throw new Error("found what is not there");
}
