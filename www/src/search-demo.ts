/** The demo of a search: the page creates a challenge, and the package's solver finds the number. */
import { type Challenge, SaltmineError, solve } from "saltmine";
import { count, hashRate, ms, part } from "./page.js";

export function startSearchDemo(): void {
  // Hashing on the page needs a secure context; a plain http address other than localhost is none.
  if (!globalThis.crypto?.subtle) {
    part("search-demo").hidden = true;
    return;
  }
  const button = part<HTMLButtonElement>("search-demo-start");
  let underWay: AbortController | undefined;
  const start = async () => {
    underWay = new AbortController();
    button.textContent = "Stop";
    await search(Number(part<HTMLSelectElement>("search-demo-depth").value), underWay.signal);
    button.textContent = "Solve";
    underWay = undefined;
  };
  part<HTMLFormElement>("search-demo-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (underWay) underWay.abort();
    else void start();
  });
}

async function search(maxNumber: number, signal: AbortSignal): Promise<void> {
  const bar = part<HTMLProgressElement>("search-demo-progress");
  const result = part("search-demo-result");
  bar.value = 0;
  try {
    const { number, tookMs, hashes } = await solve(await hide(maxNumber), {
      signal,
      maxNumber,
      onProgress: ({ share, searched, hashesPerSecond }) => {
        bar.value = share;
        const rate = hashesPerSecond > 0 ? `, ${hashRate(hashesPerSecond)}` : "";
        result.textContent = `${count(searched)} tried${rate}`;
      },
    });
    result.textContent = `Found ${count(number)} in ${ms(tookMs)} ms: ${hashRate((hashes / tookMs) * 1000)}.`;
  } catch (error) {
    const stopped = error instanceof SaltmineError && error.code === "aborted";
    result.textContent = stopped ? "Stopped." : String((error as Error).message);
  }
}

/** Makes a challenge with a random number that is not stored, so that only a search can find it. */
async function hide(maxNumber: number): Promise<Challenge> {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  // 52 random bits scaled down: even enough for a game.
  const number = Math.floor(((high % 2 ** 20) * 2 ** 32 + low) / (2 ** 52 / (maxNumber + 1)));
  const salt = hex(crypto.getRandomValues(new Uint8Array(12)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(salt + number));
  // Nobody checks this signature: the challenge never leaves the page.
  return {
    algorithm: "SHA-256",
    challenge: hex(new Uint8Array(digest)),
    maxnumber: maxNumber,
    salt,
    signature: "0".repeat(64),
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
