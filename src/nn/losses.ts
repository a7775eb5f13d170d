import {
  add,
  cast,
  crossEntropy,
  type Dim,
  equal,
  logSumExp,
  mul,
  reduceSum,
  reshape,
  sizeOf,
  softplus,
  sub,
  type Tensor,
  where,
} from "../tensor/index.ts";

/** A label that does not count, as in PyTorch and Hugging Face. */
export const IGNORE_INDEX = -100;

/** What each label's loss weighs beside the others. */
export interface LossOptions {
  /**
   * Share ε of the target that is spread evenly over all V classes (Szegedy et al. 2016), as in PyTorch's `cross_entropy` and
   * Hugging Face's `label_smoothing_factor`. Default 0.
   */
  readonly labelSmoothing?: number;
}

/**
 * Cross-entropy of every position in nats, 0 where the label is {@link IGNORE_INDEX}: logits (B, T, V) and int32 labels
 * (B, T) → (B·T). Labels are compared as they stand; whoever calls has shifted them.
 */
export function tokenLosses(
  logits: Tensor,
  labels: Tensor,
  { labelSmoothing = 0 }: LossOptions = {},
): Tensor {
  const rows = sizeOf(labels.shape);
  const flat = reshape(labels, [rows]);
  const ignored = equal(flat, IGNORE_INDEX);
  const counted = sub(1, cast(ignored, logits.dtype));
  const scores = reshape(logits, [rows, logits.dim(-1)]);
  const losses = crossEntropy(scores, where(ignored, 0, flat));
  return mul(labelSmoothing === 0 ? losses : smoothed(losses, scores, labelSmoothing), counted);
}

/** (1 − ε)·loss + ε·(the mean of the losses that the V classes would have). */
function smoothed(losses: Tensor, scores: Tensor, epsilon: number): Tensor {
  const [rows, classes] = scores.shape as [Dim, number];
  const mean = mul(reduceSum(scores, { axes: [-1], keepDims: true }), 1 / classes);
  const even = reshape(sub(logSumExp(scores), mean), [rows]);
  return add(mul(losses, 1 - epsilon), mul(even, epsilon));
}

/**
 * Binary cross-entropy of classes that do not exclude each other, in nats: logits (B, L) and int32 labels of 0 and 1, or
 * {@link IGNORE_INDEX}, (B, L) → (B, L), 0 where a label is ignored.
 */
export function binaryLosses(logits: Tensor, labels: Tensor): Tensor {
  const ignored = equal(labels, IGNORE_INDEX);
  const targets = cast(where(ignored, 0, labels), logits.dtype);
  const losses = sub(softplus(logits), mul(logits, targets));
  return mul(losses, sub(1, cast(ignored, logits.dtype)));
}
