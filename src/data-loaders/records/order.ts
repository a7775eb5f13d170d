import { Random } from "../../tensor/random.ts";

/** Examples whose lengths are compared with each other, and that of those stay together. */
const GROUP = 4096;
const BLOCK = 64;

/**
 * The numbers of [0, count) in an order that `seeds` alone decide.
 *
 * With `lengthOf`, examples of about the same length follow one another: of each 4096 in mixed order, 64 neighbours by
 * length stay together; these blocks, and the 64 within, are in mixed order again. Batches then need little padding.
 */
export function shuffledOrder(
  count: number,
  seeds: readonly number[],
  lengthOf?: (index: number) => number,
): Uint32Array {
  const random = new Random(...seeds);
  const order = random.permutation(count);
  if (lengthOf === undefined) return order;
  for (let from = 0; from < count; from += GROUP) {
    const group = order.subarray(from, from + GROUP);
    const sorted = Array.from(group).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
    const blocks = random.permutation(Math.ceil(sorted.length / BLOCK));
    let end = 0;
    for (const block of blocks) {
      const similar = sorted.slice(block * BLOCK, (block + 1) * BLOCK);
      for (const at of random.permutation(similar.length)) group[end++] = similar[at] ?? 0;
    }
  }
  return order;
}
