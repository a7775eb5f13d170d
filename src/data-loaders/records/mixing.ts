import { Random } from "../../tensor/random.ts";
import { DataError } from "../errors.ts";
import type { Pool, Sequence } from "./pools.ts";

/** Pools one after another. */
export function chained(sequences: readonly Sequence[]): Sequence {
  const length = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
  return {
    length,
    example: (index) => {
      let local = index;
      for (const sequence of sequences) {
        if (local < sequence.length) return sequence.example(local);
        local -= sequence.length;
      }
      throw new RangeError(`there is no example ${index} of ${length}`);
    },
  };
}

/** A source's part in a mixture. */
export interface Part {
  readonly pool: Pool;
  readonly weight: number;
}

/** Tells the draw of places in an epoch from all other draws with its seed. */
const MIXING = 0x6d6978;

/**
 * One epoch of several sources, of which each has the share of its weight. It ends when the first source has been read
 * once; the others go on from there in the next epoch, so that with time all of each is read, equally often. All that
 * decides a place's example is seed, epoch and place.
 *
 * @param what names the split in messages
 * @throws DataError `DATA_TOO_SHORT` when a source is empty, or its share of an epoch less than one example.
 */
export function mixed(what: string, parts: readonly Part[], seed: number, epoch: number): Sequence {
  const sum = parts.reduce((total, { weight }) => total + weight, 0);
  const whole = Math.min(...parts.map(({ pool, weight }) => (pool.least * sum) / weight));
  const sources = parts.map(({ pool, weight }, index) => {
    const draws = Math.floor((whole * weight) / sum);
    if (draws < 1)
      throw new DataError(
        "DATA_TOO_SHORT",
        `${what} of sources[${index}] has no example in an epoch: ` +
          `${pool.least === 0 ? "the source is empty or too short" : "its weight is too small beside the others'"}.`,
      );
    return { draws, drawAt: drawsOf(pool, [seed, index], epoch * draws) };
  });
  const order = new Random(seed, epoch, MIXING).permutation(sources.reduce((n, { draws }) => n + draws, 0));
  return {
    length: order.length,
    example: (index) => {
      let local = order[index] ?? 0;
      for (const { draws, drawAt } of sources) {
        if (local < draws) return drawAt(local);
        local -= draws;
      }
      throw new RangeError(`there is no example ${index} of ${order.length}`);
    },
  };
}

/** Endless passes over a pool, each in an order of its own, from draw `first` on. */
function drawsOf(
  pool: Pool,
  [seed, source]: readonly [seed: number, source: number],
  first: number,
): (draw: number) => ReturnType<Sequence["example"]> {
  const passes = new Map<number, Sequence>();
  return (draw) => {
    const pass = Math.floor((first + draw) / pool.least);
    let sequence = passes.get(pass);
    if (sequence === undefined) {
      sequence = pool.shuffled([seed, pass, source]);
      passes.set(pass, sequence);
    }
    return sequence.example((first + draw) % pool.least);
  };
}
