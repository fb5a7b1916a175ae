/** The measuring loop: solvers take turns, so that other work of the machine affects all of them. */
import { type Contestant, makeSalt } from "./rival.js";
import { quartiles, type Quartiles } from "./statistics.js";

/** One row of the result: a solver on salts of one length. */
export interface Row extends Contestant {
  name: string;
  saltLength?: number;
}

export interface RoundsOptions {
  rounds: number;
  warmUpMs: number;
  /** About how long one turn takes. */
  turnMs: number;
  /** Ends the whole with the signal's reason, as soon as the row whose turn it is gives up. */
  signal?: AbortSignal;
  /** Called before each turn, including the one that warms up: `done` of `total` turns are done. */
  onTurn?(row: Row, done: number, total: number): void;
  /** Called after each turn that counts, with millions of hashes per second. */
  onRate?(row: Row, mhs: number): void;
  /** Called when a row fails and is left out of the further rounds; without this function a failure ends all rounds. */
  onFailure?(row: Row, error: unknown): void;
}

/** Millions of hashes a second, for each row one in every round; rows that failed are not there. */
export type Rates = Record<string, number[]>;

export async function takeTurns(rows: readonly Row[], options: RoundsOptions): Promise<Rates> {
  const { rounds, warmUpMs, turnMs, signal, onTurn, onRate, onFailure } = options;
  const lasts = new Map<Row, number>();
  const rates: Rates = {};
  const total = rows.length * (rounds + 1);
  let done = 0;
  const turn = async (row: Row, work: () => Promise<void>) => {
    signal?.throwIfAborted();
    onTurn?.(row, done, total);
    try {
      await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!onFailure) throw error;
      lasts.delete(row);
      delete rates[row.name];
      onFailure(row, error);
    }
    done += 1;
  };

  for (const row of rows) {
    await turn(row, async () => {
      const hashesPerMs = await row.warmUp(makeSalt(row.saltLength), warmUpMs);
      lasts.set(row, Math.round(hashesPerMs * turnMs));
      rates[row.name] = [];
    });
  }
  for (let round = 0; round < rounds; round += 1) {
    // Nobody always comes first, or after the same other.
    const order = rows.map((_, index) => rows[(index + round) % rows.length] as Row);
    const usual = makeSalt();
    for (const row of round % 2 ? order.reverse() : order) {
      const last = lasts.get(row);
      if (last === undefined) {
        done += 1;
        continue;
      }
      await turn(row, async () => {
        const ms = await row.measure(row.saltLength ? makeSalt(row.saltLength) : usual, last);
        const mhs = (last + 1) / ms / 1_000;
        rates[row.name]?.push(mhs);
        onRate?.(row, mhs);
      });
    }
  }
  return rates;
}

/** Returns the quartiles of the ratio of the rates `ours` and `theirs`, which is computed for each round. */
export function ratio(rates: Rates, ours: string, theirs: string): Quartiles | undefined {
  const others = rates[theirs] ?? [];
  const both = (rates[ours] ?? []).slice(0, others.length);
  return both.length > 0 ? quartiles(both.map((mhs, round) => mhs / (others[round] as number))) : undefined;
}
