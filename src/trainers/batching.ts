import type { DataLoader, Example, Split } from "../data-loaders/index.ts";
import { IGNORE_INDEX } from "../nn/index.ts";
import { sizeOf } from "../tensor/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { causalObjective } from "./causal-objective.ts";
import { checkId } from "./check-id.ts";
import { TrainingError } from "./errors.ts";
import type { Objective, Row } from "./objective.ts";

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
}

/** Where in the data a run stands. */
export interface DataPosition {
  /** Passes over the data that are over. */
  readonly epoch: number;
  /** Examples of this epoch that were used. */
  readonly start: number;
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

const defaultObjective = causalObjective();

class BatchBuilder {
  readonly #options: BatchOptions;
  readonly #objective: Objective;
  /** T, and labels of a row. */
  readonly #lengths: { readonly ids: number; readonly labels: number };
  #rows: Row[] = [];
  /** Whether some row so far had several documents, or types of tokens: then every batch has them. */
  #hasDocuments = false;
  #hasTypes = false;
  truncated = 0;
  dropped = 0;

  constructor(options: BatchOptions, seen?: SeenSoFar) {
    this.#options = options;
    this.#objective = options.objective ?? defaultObjective;
    const { sequenceLength: ids } = options;
    this.#lengths = { ids, labels: sizeOf(this.#objective.labelShape(1, ids)) as number };
    if (seen === undefined) return;
    this.truncated = seen.truncated;
    this.dropped = seen.dropped;
    this.#hasDocuments = seen.documents;
    this.#hasTypes = seen.types;
  }

  get seen(): SeenSoFar {
    const { truncated, dropped } = this;
    return { truncated, dropped, documents: this.#hasDocuments, types: this.#hasTypes };
  }

  get full(): boolean {
    return this.#rows.length === this.#options.batchSize;
  }

  get empty(): boolean {
    return this.#rows.length === 0;
  }

  add(example: Example, epoch: number, index: number): void {
    const { tokenizer, vocabSize, sequenceLength, seed } = this.#options;
    const key = [seed, epoch, index] as const;
    const row = this.#objective.row({ example, tokenizer, vocabSize, sequenceLength, key });
    if (row.truncated) this.truncated++;
    if (row.counted === 0) {
      this.dropped++;
      return;
    }
    this.#hasDocuments ||= row.documentIds !== undefined;
    this.#hasTypes ||= row.tokenTypeIds !== undefined;
    this.#rows.push(row);
  }

  /** The batch, and an empty builder again. */
  take(): Batch {
    const { batchSize, tokenizer, vocabSize } = this.#options;
    const { ids: length, labels: labelLength } = this.#lengths;
    const rows = this.#rows;
    this.#rows = [];
    const inputIds = new Int32Array(batchSize * length).fill(tokenizer.padTokenId ?? 0);
    const labels = new Int32Array(batchSize * labelLength).fill(IGNORE_INDEX);
    const documents = new Int32Array(inputIds.length);
    const tokenTypeIds = new Int32Array(inputIds.length);
    for (const [at, row] of rows.entries()) {
      const offset = at * length;
      for (let i = 0; i < row.inputIds.length; i++) {
        inputIds[offset + i] = checkId(row.inputIds[i] ?? -1, vocabSize);
        documents[offset + i] = row.documentIds?.[i] ?? 1;
        tokenTypeIds[offset + i] = row.tokenTypeIds?.[i] ?? 0;
      }
      for (let i = 0; i < row.labels.length; i++)
        labels[at * labelLength + i] = row.labels[i] ?? IGNORE_INDEX;
    }
    const weight = rows.reduce((sum, row) => sum + (row.weight ?? row.counted), 0);
    const counted = rows.reduce((sum, row) => sum + row.counted, 0);
    return {
      inputIds,
      labels,
      ...((this.#objective.masks || this.#hasDocuments) && { attentionMask: documents }),
      ...(this.#hasDocuments && { positionIds: positionsIn(documents, length) }),
      ...(this.#hasTypes && { tokenTypeIds }),
      counted,
      ...(this.#objective.masks && { tokens: documents.filter((number) => number > 0).length }),
      ...(weight !== counted && { weight }),
      rows: rows.length,
    };
  }
}

/** Places within documents, from 0 at each change of number. */
function positionsIn(documents: Int32Array, length: number): Int32Array {
  const positions = new Int32Array(documents.length);
  for (let at = 1; at < documents.length; at++)
    if (at % length !== 0 && documents[at] === documents[at - 1])
      positions[at] = (positions[at - 1] ?? 0) + 1;
  return positions;
}

/** Batches of training data without end, epoch after epoch, from a position on. */
export async function* trainingBatches(
  options: BatchOptions,
  from: DataPosition = { epoch: 0, start: 0 },
): AsyncGenerator<
  { readonly batch: Batch; readonly position: DataPosition; readonly counts: DataCounts },
  never
> {
  const builder = new BatchBuilder(options, from.seen);
  let { epoch, start } = from;
  for (;;) {
    let used = start;
    let kept = false;
    for await (const example of examplesOf("train", options, { epoch, start, shuffle: true })) {
      builder.add(example, epoch, used);
      kept ||= !builder.empty;
      used++;
      if (!builder.full) continue;
      const counts = { truncated: builder.truncated, dropped: builder.dropped };
      const position = { epoch, start: used, seen: builder.seen };
      yield { batch: builder.take(), position, counts };
    }
    if (!kept && start === 0)
      throw new TrainingError(
        "NO_EXAMPLES",
        used === 0
          ? "The data loader yields no training example: the data is empty or too short."
          : `None of the ${used} training examples has a label that counts (a next token needs at least two ids, a classifier a label), so there is nothing to learn.`,
      );
    epoch++;
    start = 0;
  }
}

/** Batches of one split in order, once; the last may have fewer rows. */
export async function* evaluationBatches(split: Split, options: BatchOptions): AsyncGenerator<Batch> {
  const builder = new BatchBuilder(options);
  let index = 0;
  for await (const example of examplesOf(split, options, { epoch: 0, start: 0, shuffle: false })) {
    builder.add(example, 0, index++);
    if (builder.full) yield builder.take();
  }
  if (!builder.empty) yield builder.take();
}

function examplesOf(
  split: Split,
  { data, tokenizer, sequenceLength, seed }: BatchOptions,
  place: { readonly epoch: number; readonly start: number; readonly shuffle: boolean },
): AsyncIterable<Example> {
  return data.examples(split, { tokenizer, sequenceLength, seed, ...place });
}
