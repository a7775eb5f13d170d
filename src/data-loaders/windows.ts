import { Random } from "../tensor/random.ts";
import { DataError } from "./errors.ts";
import type { ExampleRequest } from "./index.ts";

/** Tokens [from, to) of a split: inputs, and the last target. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/**
 * The windows of one epoch over `tokenCount` tokens, from the position `start` on. With T = `sequenceLength`:
 *
 * - In order: windows start at 0, T, 2T … and have T + 1 tokens, the last one fewer. Every token but the first is a
 *   target exactly once.
 * - Shuffled: all have T + 1 tokens and start T apart from a random offset in [0, T), in random order. Every token is a
 *   target at most once an epoch, and only those before the offset and after the last whole window are left out; they
 *   differ between epochs, as do the cuts.
 *
 * Offset and order depend on `seed` and `epoch` alone, so any position is reached without the ones before it.
 *
 * @throws RangeError when `sequenceLength` is no positive integer, or `start` no count.
 * @throws DataError `DATA_TOO_SHORT` when there is not one window; `what` names the split in it.
 */
export function* windows(
  what: string,
  tokenCount: number,
  { sequenceLength, seed, epoch, shuffle, start }: Omit<ExampleRequest, "tokenizer">,
): Generator<Window> {
  if (!Number.isInteger(sequenceLength) || sequenceLength < 1 || !Number.isInteger(start) || start < 0)
    throw new RangeError(
      `no windows of ${sequenceLength} positions from example ${start} on: both are counts`,
    );
  const least = shuffle ? sequenceLength + 1 : 2;
  if (tokenCount < least)
    throw new DataError(
      "DATA_TOO_SHORT",
      `${what} has ${tokenCount} token(s), and ${shuffle ? "one window needs" : "to predict one takes"} ${least}` +
        `${shuffle ? ` (${sequenceLength} positions and the last target)` : ""}. ` +
        "Give more text, another `validation`, or a model with fewer positions.",
    );
  if (!shuffle) {
    for (let from = start * sequenceLength; from + 1 < tokenCount; from += sequenceLength)
      yield { from, to: Math.min(from + sequenceLength + 1, tokenCount) };
    return;
  }
  const random = new Random(seed, epoch);
  // The offset leaves room for one window in the shortest text that is accepted.
  const offset = random.integer(Math.min(sequenceLength, tokenCount - sequenceLength));
  const order = random.permutation(Math.floor((tokenCount - 1 - offset) / sequenceLength));
  for (const index of order.subarray(start)) {
    const from = offset + index * sequenceLength;
    yield { from, to: from + sequenceLength + 1 };
  }
}
