import type { DataLoader, Split } from "../data-loaders/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { BatchAssembler } from "./batch-assembler.ts";
import { groupedByLength, type RowBatch } from "./length-groups.ts";
import type { Objective, Row } from "./objective.ts";
import { exampleRows, trainingRows } from "./training-rows.ts";

/** Rows of one length, ready for the graph: padded at the end with the padding id (0 without one) and labels −100. */
export interface Batch {
  /** Row-major (B, T). */
  readonly inputIds: Int32Array;
  /**
   * Row-major. `causal_lm`: (B, T), `labels[t]` is what should follow `inputIds[t]`; `masked_lm`: (B, T), what should stand
   * at `t`; `sequence_classification`: (B), the number of the class, or (B, L), 1 for each class that holds.
   */
  readonly labels: Int32Array;
  /** Row-major (B, T), as in `ModelInputs`. */
  readonly attentionMask?: Int32Array;
  readonly positionIds?: Int32Array;
  readonly tokenTypeIds?: Int32Array;
  /** Labels that count. */
  readonly counted: number;
  /** Ids that were read, without padding. Default `counted`. */
  readonly tokens?: number;
  /** What the sum of the losses is divided by, where that is not `counted`: the sum of class weights. */
  readonly weight?: number;
  /** Rows that hold a sequence; the others are padding. */
  readonly rows: number;
}

export interface BatchOptions {
  readonly data: DataLoader;
  readonly tokenizer: Tokenizer;
  /** Ids that the model knows. */
  readonly vocabSize: number;
  readonly batchSize: number;
  readonly sequenceLength: number;
  readonly seed: number;
  /** What the rows are for. Default: next-token prediction. */
  readonly objective?: Objective;
  /**
   * Lengths that batches are padded to, shortest first: each to the shortest that holds its rows. The last is
   * `sequenceLength`. Default: that one alone.
   */
  readonly lengths?: readonly number[];
  /** Whether every pass has the same rows, as the first: what is drawn anew for each epoch (masks) is not. */
  readonly repeats?: boolean;
  /** Whether training rows of similar length are put together, which saves padding where there are several `lengths`. */
  readonly groupByLength?: boolean;
}

/** Where in the data a run stands. */
export interface DataPosition {
  /** Passes over the data that are over. */
  readonly epoch: number;
  /** Examples of this epoch that were used. */
  readonly start: number;
  /** With `groupByLength`: batches that were used of the group of examples that begins there. */
  readonly batch?: number;
  /** What later batches depend on besides; nothing was seen where it is missing. */
  readonly seen?: SeenSoFar;
}

/** What the examples so far have shown. */
export interface SeenSoFar extends DataCounts {
  /** Whether some example had several documents, or types of tokens: then every batch after it has them. */
  readonly documents: boolean;
  readonly types: boolean;
}

/** What was cut or left out so far. */
export interface DataCounts {
  /** Examples with more ids than fit; what lies behind was cut off. */
  readonly truncated: number;
  /** Examples in which no label counts. */
  readonly dropped: number;
}

/** Batches of training data without end, epoch after epoch, from a position on. */
export async function* trainingBatches(
  options: BatchOptions,
  from: DataPosition = { epoch: 0, start: 0 },
): AsyncGenerator<
  { readonly batch: Batch; readonly position: DataPosition; readonly counts: DataCounts },
  never
> {
  const assembler = new BatchAssembler(options, from.seen);
  const source = options.groupByLength ? groupedByLength(options, from) : inOrder(options, from);
  for await (const { rows, place, counts } of source) {
    const batch = assembler.assemble(rows, assembler.lengthOf(rows));
    const { truncated, dropped, ...where } = place;
    yield { batch, position: { ...where, seen: { truncated, dropped, ...assembler.seen } }, counts };
  }
  throw new Error("rows for training have no end");
}

/** Rows as they come, so many at a time. */
async function* inOrder(options: BatchOptions, from: DataPosition): AsyncGenerator<RowBatch, never> {
  let rows: Row[] = [];
  for await (const { row, after } of trainingRows(options, from)) {
    rows.push(row);
    if (rows.length < options.batchSize) continue;
    yield { rows, place: after, counts: after };
    rows = [];
  }
  throw new Error("rows for training have no end");
}

/**
 * Batches of one split in order, once. The last may have fewer rows; it is as long as the one before, unless it must be
 * longer: a length of its own would be a graph of its own, for one batch.
 */
export async function* evaluationBatches(split: Split, options: BatchOptions): AsyncGenerator<Batch> {
  const assembler = new BatchAssembler(options);
  let rows: Row[] = [];
  let length = 0;
  for await (const { row } of exampleRows(split, options, { epoch: 0, start: 0, shuffle: false })) {
    if (row.counted > 0) rows.push(row);
    if (rows.length < options.batchSize) continue;
    length = assembler.lengthOf(rows);
    yield assembler.assemble(rows, length);
    rows = [];
  }
  if (rows.length > 0) yield assembler.assemble(rows, Math.max(length, assembler.lengthOf(rows)));
}
