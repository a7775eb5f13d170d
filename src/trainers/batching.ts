import type { DataLoader, Example, Split } from "../data-loaders/index.ts";
import { IGNORE_INDEX } from "../nn/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import { TrainingError } from "./errors.ts";

/** Sequences of one length, ready for the graph: padded at the end with ids 0 and labels −100, labels shifted. */
export interface Batch {
  /** Row-major (B, T). */
  readonly inputIds: Int32Array;
  /** Row-major (B, T): `labels[t]` is what should follow `inputIds[t]`. */
  readonly labels: Int32Array;
  /** Labels that count. */
  readonly counted: number;
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
}

/** Where in the data a run stands. */
export interface DataPosition {
  /** Passes over the data that are over. */
  readonly epoch: number;
  /** Examples of this epoch that were used. */
  readonly start: number;
}

/** What was cut or left out so far. */
export interface DataCounts {
  /** Examples with more than T + 1 ids; what lies behind was cut off. */
  readonly truncated: number;
  /** Examples in which no label counts (one id or none, or all ignored). */
  readonly dropped: number;
}

class BatchBuilder {
  readonly #options: BatchOptions;
  readonly #inputIds: Int32Array;
  readonly #labels: Int32Array;
  #rows = 0;
  #counted = 0;
  truncated = 0;
  dropped = 0;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#inputIds = new Int32Array(options.batchSize * options.sequenceLength);
    this.#labels = new Int32Array(this.#inputIds.length).fill(IGNORE_INDEX);
  }

  get full(): boolean {
    return this.#rows === this.#options.batchSize;
  }

  get empty(): boolean {
    return this.#rows === 0;
  }

  add(example: Example): void {
    const { tokenizer, vocabSize, sequenceLength } = this.#options;
    const ids = "text" in example ? tokenizer.encode(example.text) : example.inputIds;
    const labels = "text" in example ? ids : (example.labels ?? ids);
    if (labels.length !== ids.length)
      throw new TrainingError(
        "BAD_EXAMPLE",
        `An example has ${ids.length} ids and ${labels.length} labels; there must be as many.`,
      );
    if (ids.length > sequenceLength + 1) this.truncated++;
    const length = Math.min(sequenceLength, ids.length - 1);
    const offset = this.#rows * sequenceLength;
    let counted = 0;
    for (let at = 0; at < length; at++) {
      const label = labels[at + 1] ?? IGNORE_INDEX;
      this.#inputIds[offset + at] = checkId(ids[at] ?? -1, vocabSize);
      this.#labels[offset + at] = label === IGNORE_INDEX ? label : checkId(label, vocabSize);
      if (label !== IGNORE_INDEX) counted++;
    }
    if (counted === 0) {
      this.#inputIds.fill(0, offset, offset + sequenceLength);
      this.#labels.fill(IGNORE_INDEX, offset, offset + sequenceLength);
      this.dropped++;
      return;
    }
    this.#rows++;
    this.#counted += counted;
  }

  /** The batch, and an empty builder again. */
  take(): Batch {
    const batch = {
      inputIds: this.#inputIds.slice(),
      labels: this.#labels.slice(),
      counted: this.#counted,
      rows: this.#rows,
    };
    this.#inputIds.fill(0);
    this.#labels.fill(IGNORE_INDEX);
    this.#rows = 0;
    this.#counted = 0;
    return batch;
  }
}

/** @throws TrainingError unless the model knows the id. */
export function checkId(id: number, vocabSize: number, where = "data"): number {
  if (Number.isInteger(id) && id >= 0 && id < vocabSize) return id;
  throw new TrainingError(
    "ID_OUT_OF_RANGE",
    `The ${where} has the token id ${id}, but the model knows ids from 0 to ${vocabSize - 1}. Give the model the tokenizer's vocabSize, or look at what the data loader yields.`,
  );
}

/** Batches of training data without end, epoch after epoch, from a position on. */
export async function* trainingBatches(
  options: BatchOptions,
  from: DataPosition = { epoch: 0, start: 0 },
): AsyncGenerator<
  { readonly batch: Batch; readonly position: DataPosition; readonly counts: DataCounts },
  never
> {
  const builder = new BatchBuilder(options);
  let { epoch, start } = from;
  for (;;) {
    let used = start;
    let kept = false;
    for await (const example of examplesOf("train", options, { epoch, start, shuffle: true })) {
      builder.add(example);
      kept ||= !builder.empty;
      used++;
      if (!builder.full) continue;
      const counts = { truncated: builder.truncated, dropped: builder.dropped };
      yield { batch: builder.take(), position: { epoch, start: used }, counts };
    }
    if (!kept && start === 0)
      throw new TrainingError(
        "NO_EXAMPLES",
        used === 0
          ? "The data loader yields no training example: the data is empty or too short."
          : `None of the ${used} training examples has a label that counts (each needs at least two ids), so there is nothing to learn.`,
      );
    epoch++;
    start = 0;
  }
}

/** Batches of one split in order, once; the last may have fewer rows. */
export async function* evaluationBatches(split: Split, options: BatchOptions): AsyncGenerator<Batch> {
  const builder = new BatchBuilder(options);
  for await (const example of examplesOf(split, options, { epoch: 0, start: 0, shuffle: false })) {
    builder.add(example);
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
