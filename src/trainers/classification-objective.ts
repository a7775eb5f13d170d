import { binaryLosses, IGNORE_INDEX, type LossOptions, tokenLosses } from "../nn/index.ts";
import {
  constant,
  type Dim,
  equal,
  gather,
  mul,
  reshape,
  sizeOf,
  type Tensor,
  where,
} from "../tensor/index.ts";
import type { Batch } from "./batching.ts";
import { TrainingError } from "./errors.ts";
import type { EvaluatedRow, Objective, Outputs, Row, RowRequest, Wanted } from "./objective.ts";
import { encoderInput } from "./special-tokens.ts";

export interface ClassificationOptions extends LossOptions {
  /** Names of the classes, in the order of the logits. */
  readonly labels: readonly string[];
  /** Whether classes do not exclude each other. */
  readonly multiLabel: boolean;
  /** What an example of a class weighs in the loss, by its name; 1 where none is given. */
  readonly classWeights?: Readonly<Record<string, number>>;
}

/** Which classes a text belongs to: cross-entropy, or binary cross-entropy a class where they do not exclude each other. */
export function classificationObjective(options: ClassificationOptions): Objective {
  const { labels: classes, multiLabel, classWeights = {}, labelSmoothing = 0 } = options;
  const weights = Float32Array.from(classes, (name) => classWeights[name] ?? 1);
  const isWeighted = weights.some((weight) => weight !== 1);
  const row = (request: RowRequest): Row => {
    const { inputIds, truncated, tokenTypeIds } = encoderInput(
      request.example,
      request.tokenizer,
      request.sequenceLength,
    );
    const held = heldClasses(request.example.label, classes, multiLabel);
    const labels = multiLabel ? Int32Array.from(classes, (_, at) => (held.includes(at) ? 1 : 0)) : held;
    const weight = multiLabel
      ? weights.reduce((sum, one) => sum + one, 0)
      : held.reduce((sum, at) => sum + (weights[at] ?? 1), 0);
    // A text of no token at all has nothing to be judged by.
    const counted = inputIds.length === 0 ? 0 : labels.length;
    return {
      inputIds,
      labels,
      counted,
      truncated,
      ...(isWeighted && { weight }),
      ...(tokenTypeIds && { tokenTypeIds }),
    };
  };
  const losses = (logits: Tensor, labels: Tensor, smoothing: LossOptions = {}): Tensor =>
    multiLabel ? binaryLosses(logits, labels) : tokenLosses(logits, labels, smoothing);
  const weighted = (logits: Tensor, labels: Tensor): Tensor => {
    const plain = losses(logits, labels, { labelSmoothing });
    if (!isWeighted) return plain;
    if (multiLabel) return mul(plain, constant(weights, "float32", [1, classes.length]));
    const table = constant(weights, "float32", [classes.length, 1]);
    const known = where(equal(labels, IGNORE_INDEX), 0, labels);
    return mul(plain, reshape(gather(table, known), [sizeOf(labels.shape)]));
  };
  return {
    task: "sequence_classification",
    masks: true,
    gives: ["tokenLosses", "predictedIds", "topIds", "probabilities"],
    row,
    uniformLoss: () => Math.log(multiLabel ? 2 : classes.length),
    labelShape: (batch) => (multiLabel ? [batch, classes.length] : [batch]),
    logitsShape: (_, batch: Dim) => ({
      shape: [batch, classes.length],
      description: `a classifier gives (${batch}, ${classes.length}): batch, classes`,
    }),
    ...(multiLabel && { guessLoss: Math.LN2 }),
    trainingLosses: weighted,
    losses: (logits, labels) => losses(logits, labels),
    outputs: (logits, labels) => ({ losses: losses(logits, labels), logits }),
    evaluated: (batch, outputs, wanted) => evaluatedRows(batch, outputs, wanted, options),
  };
}

/** @throws TrainingError when the example has no label, one that no class has, or several where one is expected. */
function heldClasses(
  label: string | readonly string[] | undefined,
  classes: readonly string[],
  multiLabel: boolean,
): number[] {
  const names = typeof label === "string" ? [label] : label;
  if (names === undefined)
    throw new TrainingError(
      "NO_LABEL",
      "An example has no label. Tell the data loader which column holds the labels (columns: { label: … }).",
    );
  if (!multiLabel && names.length !== 1)
    throw new TrainingError(
      "BAD_LABEL",
      `An example has ${names.length} labels (${names.join(", ") || "none"}), and a single-label classifier takes one. Set problemType: multi_label_classification.`,
    );
  return names.map((name) => {
    const at = classes.indexOf(name);
    if (at >= 0) return at;
    throw new TrainingError(
      "BAD_LABEL",
      `An example has the label ${JSON.stringify(name)}, which is none of the classes ${classes.join(", ")}.`,
    );
  });
}

function* evaluatedRows(
  batch: Batch,
  { losses = new Float32Array(), logits = new Float32Array() }: Outputs,
  { reads, topK: k }: Wanted,
  { labels: classes, multiLabel }: ClassificationOptions,
): Generator<EvaluatedRow> {
  const count = classes.length;
  for (let row = 0; row < batch.rows; row++) {
    const scores = Array.from(logits.subarray(row * count, (row + 1) * count));
    const probabilities = multiLabel ? scores.map(sigmoid) : softmax(scores);
    const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
    const perRow = multiLabel ? count : 1;
    const labels = batch.labels.slice(row * perRow, (row + 1) * perRow);
    const predicted = multiLabel
      ? Int32Array.from(probabilities, (probability) => (probability > 0.5 ? 1 : 0))
      : Int32Array.of(order[0] ?? 0);
    const tokenLosses = Float32Array.from(losses.subarray(row * perRow, (row + 1) * perRow));
    const loss = tokenLosses.reduce((sum, one) => sum + one, 0);
    const named = (ids: Int32Array) =>
      multiLabel ? classes.filter((_, at) => ids[at] === 1) : [classes[ids[0] ?? -1] ?? ""];
    const isWrong = labels.some((label, at) => label !== predicted[at]);
    yield {
      loss,
      example: {
        labels,
        tokenLosses,
        predictedIds: predicted,
        classes,
        ...(multiLabel && { multiLabel }),
        ...(reads.has("probabilities") && { probabilities: Float32Array.from(probabilities) }),
        ...(reads.has("topIds") && { topIds: Int32Array.from(order.slice(0, k)) }),
      },
      ...(isWrong && {
        mistake: { expected: named(labels), predicted: named(predicted), probability: Math.exp(-loss) },
      }),
    };
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
