/** Ids that models are run over, and how what they give is compared. */
import type { Model } from "../models/index.ts";
import { Random } from "../tensor/index.ts";
import { logitsPerRow, widthOf } from "./model-observed.ts";

/** Positions that most checks run over. */
const LENGTH = 8;
/** Longest sequence that is run to see whether the last position works. */
const LONGEST = 512;

/** Positions that most checks run over: a few, or as many as the model has. */
export function lengthOf({ maxPositionEmbeddings }: Model): number {
  return Math.min(LENGTH, maxPositionEmbeddings);
}

export function longestOf({ maxPositionEmbeddings }: Model): number {
  return Math.min(LONGEST, maxPositionEmbeddings);
}

/** Random ids, always the same for a seed. */
export function ids({ vocabSize }: Model, length: number, seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length }, () => random.integer(vocabSize));
}

/** The ids with every one from `from` on changed to another. */
export function changed(row: readonly number[], from: number, { vocabSize }: Model): number[] {
  return row.map((id, at) => (at < from ? id : (id + 1 + (at % Math.max(1, vocabSize - 1))) % vocabSize));
}

/** Largest difference of two stretches of logits, as a share of the largest logit. */
export function distance(a: Float32Array, b: Float32Array): number {
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? Number.NaN))), 0) / largest;
}

export const percent = (share: number): string => `${(100 * share).toPrecision(2)} % of the largest logit`;

/** Which logits of a batch: row `row`, positions [from, to). Of a classifier, all that the row has. */
export interface Place {
  readonly length: number;
  readonly row?: number;
  readonly from?: number;
  readonly to?: number;
}

export function part(
  logits: Float32Array,
  model: Model,
  { length, row = 0, from = 0, to = length }: Place,
): Float32Array {
  const width = widthOf(model);
  const start = row * logitsPerRow(model, length);
  const ends = model.task === "sequence_classification" ? [0, 1] : [from, to];
  return logits.subarray((start + (ends[0] ?? 0)) * width, (start + (ends[1] ?? 0)) * width);
}
