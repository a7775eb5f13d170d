import type { BatchOptions } from "./batching.ts";
import { bucketOf } from "./length-buckets.ts";
import { GROUP_BATCHES } from "./length-groups.ts";
import { RowCounter, type RowCounts } from "./row-counts.ts";
import { exampleRows } from "./training-rows.ts";

/** What training will read, looked at before the first step. */
export interface DataSurvey extends RowCounts {
  /** Whether that is all of an epoch. */
  readonly complete: boolean;
  /** Share of the positions of batches that hold nothing, in [0, 1]. */
  readonly padding: number;
}

/** Most examples to look at where it does not matter how many there are. */
export const SURVEYED = 10_000;

/** Makes the rows of the first epoch, in the order of training, and counts. */
export async function surveyTraining(options: BatchOptions, limit = SURVEYED): Promise<DataSurvey> {
  const counter = new RowCounter();
  const lengths: number[] = [];
  let complete = true;
  for await (const { row, index } of exampleRows("train", options, { epoch: 0, start: 0, shuffle: true })) {
    if (index === limit) {
      complete = false;
      break;
    }
    counter.add(row);
    if (row.counted > 0) lengths.push(row.inputIds.length);
  }
  return { ...counter.counts, complete, padding: paddingShare(lengths, options) };
}

/** The share of padding in batches of rows of these lengths, which come in this order. */
export function paddingShare(
  lengths: readonly number[],
  {
    batchSize,
    sequenceLength,
    lengths: buckets = [sequenceLength],
    groupByLength = false,
  }: Pick<BatchOptions, "batchSize" | "sequenceLength" | "lengths" | "groupByLength">,
): number {
  let positions = 0;
  const group = groupByLength ? GROUP_BATCHES * batchSize : lengths.length;
  for (let from = 0; from < lengths.length; from += group) {
    const rows = lengths.slice(from, from + group);
    if (groupByLength) rows.sort((a, b) => a - b);
    for (let at = 0; at < rows.length; at += batchSize) {
      const batch = rows.slice(at, at + batchSize);
      positions += batch.length * bucketOf(Math.max(...batch), buckets);
    }
  }
  return positions === 0 ? 0 : 1 - lengths.reduce((sum, length) => sum + length, 0) / positions;
}
