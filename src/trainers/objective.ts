import type { Example } from "../data-loaders/index.ts";
import type { EvaluatedExample, MetricInput } from "../metrics/index.ts";
import type { Model, Task } from "../models/index.ts";
import type { Dim, Shape, Tensor } from "../tensor/index.ts";
import type { Tokenizer } from "../tokenizers/index.ts";
import type { Batch } from "./batching.ts";
import type { LabelBytes } from "./label-bytes.ts";

/** What a row is made from. */
export interface RowRequest {
  readonly example: Example;
  readonly tokenizer: Tokenizer;
  /** Ids that the model knows. */
  readonly vocabSize: number;
  /** Most ids of a row, T. */
  readonly sequenceLength: number;
  /** Seed, epoch and number of the example: all that chance may depend on. */
  readonly key: readonly [seed: number, epoch: number, index: number];
}

/** One row of a batch, before padding. */
export interface Row {
  /** At most T. */
  readonly inputIds: ArrayLike<number>;
  /** As many as `inputIds` where every position has one, else as many as the objective's labels a row. */
  readonly labels: ArrayLike<number>;
  /** Numbers from 1 of the documents in the row. Absent: it is one. */
  readonly documentIds?: ArrayLike<number>;
  readonly tokenTypeIds?: ArrayLike<number>;
  /** Labels that count; a row without one is left out. */
  readonly counted: number;
  /** What the row's losses add to the denominator of the mean. Default `counted`. */
  readonly weight?: number;
  /** Ids that did not fit and were cut off. */
  readonly truncated: number;
}

/** Losses and predictions of one evaluated row, for metrics and for the list of mistakes. */
export interface EvaluatedRow {
  readonly example: EvaluatedExample;
  /** Σ of the row's losses, in nats. */
  readonly loss: number;
  /** Of a classifier whose prediction is wrong. */
  readonly mistake?: {
    readonly expected: readonly string[];
    readonly predicted: readonly string[];
    /** Of what was expected. */
    readonly probability: number;
  };
}

/** What evaluation asks for besides the losses. */
export interface Wanted {
  readonly reads: ReadonlySet<MetricInput>;
  /** Ids a position in `topIds`. */
  readonly topK: number;
  /** Tells the bytes of labels; there when `reads` has `labelBytes`. */
  readonly labelBytes?: LabelBytes;
  /** Rows of a batch, padding included. */
  readonly batchSize: number;
}

/** Arrays that an evaluation graph filled, by the names of its outputs. */
export type Outputs = Readonly<Record<string, Float32Array | Int32Array>>;

/**
 * What a model is trained for: how an example becomes a row of a batch, and what is wrong with the model's logits for it.
 * Everything else (batches, updates, evaluation, the loop) is the same for all.
 */
export interface Objective {
  readonly task: Task;
  /** Whether rows are padded in a way that the model must be told of by an attention mask. */
  readonly masks: boolean;
  /** What metrics can read. */
  readonly gives: readonly MetricInput[];
  /** Positions to ask the data loader for, where a row adds ids of its own to those that it gives. Default: T. */
  windowLength?(sequenceLength: number, tokenizer: Tokenizer): number;
  /** @throws TrainingError when the example cannot be used at all. */
  row(request: RowRequest): Row;
  /** Loss in nats of a model that gives every answer the same probability, where there is such a thing. */
  uniformLoss?(model: Model): number;
  /** Shape of the int32 labels of a batch. */
  labelShape(batch: Dim, length: Dim): Shape;
  /** Shape that the logits must have, with a description for the error. */
  logitsShape(model: Model, batch: Dim, length: Dim): { readonly shape: Shape; readonly description: string };
  /** The loss of who knows nothing, where it is not the logarithm of the logits' last axis. */
  readonly guessLoss?: number;
  /** Losses in nats, 0 where the label does not count, of any shape whose sum is the batch's; for training. */
  trainingLosses(logits: Tensor, labels: Tensor): Tensor;
  /** The same for evaluation: without smoothing and class weights. */
  losses(logits: Tensor, labels: Tensor): Tensor;
  /** What the evaluation graph computes. `losses` is among it. */
  outputs(logits: Tensor, labels: Tensor, wanted: Wanted): Readonly<Record<string, Tensor>>;
  /** The rows of an evaluated batch, without padding. */
  evaluated(batch: Batch, outputs: Outputs, wanted: Wanted): Iterable<EvaluatedRow>;
}
