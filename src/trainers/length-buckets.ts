/** Eighths of the longest sequence that there is a length for: steps of at most a half, and few graphs to compile. */
const EIGHTHS = [1, 2, 3, 4, 6, 8];

/**
 * The lengths that batches are padded to, shortest first; the last is `sequenceLength`. A shape is compiled into a graph of
 * its own, so there are few: eighths of the longest, rounded up to multiples of 8 (of 16 above 64, of 32 above 256).
 *
 * @example lengthBuckets(128); // [16, 32, 48, 64, 96, 128]
 */
export function lengthBuckets(sequenceLength: number): readonly number[] {
  const multiple = sequenceLength <= 64 ? 8 : sequenceLength <= 256 ? 16 : 32;
  const rounded = EIGHTHS.map((eighths) =>
    Math.min(sequenceLength, Math.ceil((sequenceLength * eighths) / 8 / multiple) * multiple),
  );
  return [...new Set(rounded)];
}

/** The shortest of the lengths, which are in order, that holds `length` positions; the longest where none does. */
export function bucketOf(length: number, lengths: readonly number[]): number {
  return lengths.find((bucket) => bucket >= length) ?? lengths.at(-1) ?? length;
}
