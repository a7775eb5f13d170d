import { Random } from "../tensor/index.ts";
import type { BatchOptions, DataCounts, DataPosition } from "./batching.ts";
import { bucketOf } from "./length-buckets.ts";
import type { Row } from "./objective.ts";
import { type Place, type TrainingRow, trainingRows } from "./training-rows.ts";

/** Batches of a group, as in Hugging Face's `LengthGroupedSampler`: rows of similar length are looked for among these. */
export const GROUP_BATCHES = 50;

/** Tells the draw of the batches' order from all other draws with the run's seed. */
const GROUPING = 0x67726f;

/** Rows of one batch. */
export interface RowBatch {
  readonly rows: readonly Row[];
  /** Where in the data the run stands after it. */
  readonly place: Place & Pick<DataPosition, "batch">;
  /** Of all examples that were read for it. */
  readonly counts: DataCounts;
}

/**
 * Rows in batches of similar length.
 *
 * A group is the next {@link GROUP_BATCHES} × batchSize rows, or fewer where the epoch ends before: what is then too few for a
 * batch begins the next group. The rows of a group are put in order of the lengths that they are padded to, within one
 * length in the order of the data; the batches that this makes are mixed. So each row is used once, and all that decides
 * about a group is seed and position: a run goes on from its position by reading one group.
 *
 * While the batches of a group are used, the rows of the next are read, as many between two batches as a batch has.
 */
export async function* groupedByLength(
  options: BatchOptions,
  from: DataPosition,
): AsyncGenerator<RowBatch, never> {
  const { batchSize } = options;
  let ready: RowBatch[] = [];
  let skip = from.batch ?? 0;
  let group: TrainingRow[] = [];
  for await (const one of trainingRows(options, from)) {
    const isNewEpoch = group.length > 0 && group.at(-1)?.at.epoch !== one.at.epoch;
    if (group.length === GROUP_BATCHES * batchSize || (isNewEpoch && group.length >= batchSize)) {
      yield* ready;
      const whole = group.length - (group.length % batchSize);
      const rest = group.slice(whole);
      ready = batchesOf(group.slice(0, whole), rest[0]?.at, options).slice(skip);
      skip = 0;
      group = rest;
    }
    group.push(one);
    if (group.length % batchSize !== 0) continue;
    const next = ready.shift();
    if (next !== undefined) yield next;
  }
  throw new Error("rows for training have no end");
}

/** @param after Where the next group begins, unless it is right behind the last row. */
function batchesOf(
  group: readonly TrainingRow[],
  after: Place | undefined,
  { batchSize, sequenceLength, lengths = [sequenceLength], seed }: BatchOptions,
): RowBatch[] {
  const [first, last] = [group[0], group.at(-1)];
  if (first === undefined || last === undefined) return [];
  const { epoch, start } = first.at;
  const counts = last.after;
  const bucket = new Map(group.map((one) => [one, bucketOf(one.row.inputIds.length, lengths)]));
  const sorted = group.toSorted((a, b) => (bucket.get(a) ?? 0) - (bucket.get(b) ?? 0));
  const order = [...new Random(seed, epoch, start, GROUPING).permutation(group.length / batchSize)];
  return order.map((number, at) => ({
    rows: sorted.slice(number * batchSize, (number + 1) * batchSize).map(({ row }) => row),
    place: at === order.length - 1 ? (after ?? last.after) : { ...first.at, batch: at + 1 },
    counts,
  }));
}
