import { Random } from "../tensor/random.ts";
import { DataError } from "./errors.ts";
import type { ExampleRequest } from "./index.ts";

/** Tokens [from, to) of a split: inputs, and the last target. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Windows by their place in an epoch. */
export interface WindowSequence {
  readonly length: number;
  at(index: number): Window;
}

/**
 * The windows of one epoch over `tokenCount` tokens. With T = `sequenceLength`:
 *
 * - In order: windows start at 0, T, 2T … and have T + 1 tokens, the last one fewer. Every token but the first is a
 *   target exactly once.
 * - Shuffled: all have T + 1 tokens and start T apart from a random offset in [0, T), in random order. Every token is a
 *   target at most once an epoch, and only those before the offset and after the last whole window are left out; they
 *   differ between epochs, as do the cuts.
 *
 * Offset and order depend on `seeds` alone, so any position is reached without the ones before it.
 *
 * @throws RangeError when `sequenceLength` is no positive integer.
 * @throws DataError `DATA_TOO_SHORT` when there is not one window; `what` names the split in it.
 */
export function windowSequence(
  what: string,
  tokenCount: number,
  { sequenceLength, shuffle, seeds }: WindowOptions,
): WindowSequence {
  if (!Number.isInteger(sequenceLength) || sequenceLength < 1)
    throw new RangeError(`no windows of ${sequenceLength} positions: they are a count`);
  const least = shuffle ? sequenceLength + 1 : 2;
  if (tokenCount < least)
    throw new DataError(
      "DATA_TOO_SHORT",
      `${what} has ${tokenCount} token(s), and ${shuffle ? "one window needs" : "to predict one takes"} ${least}` +
        `${shuffle ? ` (${sequenceLength} positions and the last target)` : ""}. ` +
        "Give more text, another `validation`, or a model with fewer positions.",
    );
  if (!shuffle)
    return {
      length: Math.ceil((tokenCount - 1) / sequenceLength),
      at: (index) => ({
        from: index * sequenceLength,
        to: Math.min((index + 1) * sequenceLength + 1, tokenCount),
      }),
    };
  const random = new Random(...seeds);
  // The offset leaves room for one window in the shortest text that is accepted.
  const offset = random.integer(Math.min(sequenceLength, tokenCount - sequenceLength));
  const order = random.permutation(Math.floor((tokenCount - 1 - offset) / sequenceLength));
  return {
    length: order.length,
    at: (index) => {
      const from = offset + (order[index] ?? 0) * sequenceLength;
      return { from, to: from + sequenceLength + 1 };
    },
  };
}

export interface WindowOptions {
  readonly sequenceLength: number;
  readonly shuffle: boolean;
  /** What offset and order are drawn from. */
  readonly seeds: readonly number[];
}

/**
 * The windows of {@link windowSequence} for seed and epoch of a request, from the position `start` on.
 *
 * @throws RangeError when `start` is no count.
 */
export function* windows(
  what: string,
  tokenCount: number,
  { sequenceLength, seed, epoch, shuffle, start }: Omit<ExampleRequest, "tokenizer">,
): Generator<Window> {
  checkStart(start);
  const sequence = windowSequence(what, tokenCount, { sequenceLength, shuffle, seeds: [seed, epoch] });
  for (let index = start; index < sequence.length; index++) yield sequence.at(index);
}

/** @throws RangeError unless it is a count. */
export function checkStart(start: number): void {
  if (!Number.isInteger(start) || start < 0)
    throw new RangeError(`there is no example ${start} to start at: a position is a count from 0`);
}
