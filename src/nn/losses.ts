import {
  add,
  cast,
  crossEntropy,
  type Dim,
  describe,
  equal,
  exp,
  logSoftmax,
  logSumExp,
  mul,
  reduceSum,
  reshape,
  sameShape,
  sizeOf,
  softplus,
  sub,
  type Tensor,
  TensorError,
  where,
} from "../tensor/index.ts";
import { checkedTemperature } from "./temperature.ts";

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

/** (prediction − target)², element by element, broadcasting. Their mean is PyTorch's `mse_loss`. */
export function squaredErrors(predictions: Tensor, targets: Tensor): Tensor {
  const errors = sub(predictions, targets);
  return mul(errors, errors);
}

/**
 * Kullback–Leibler divergence of a teacher's distribution from a student's, for distillation (Hinton, Vinyals, Dean 2015):
 * Σ p·(log p − log q) of each row in nats, with p and q the softmax of the teacher's and the student's logits, both divided
 * by the temperature. Logits (…, V) → (…); the mean over rows is PyTorch's `kl_div` with `batchmean`.
 *
 * Gradients shrink with the square of the temperature: whoever mixes this loss with another multiplies it by that. They flow
 * into the teacher's logits too; a teacher that is not trained is left out of what is differentiated for.
 *
 * @throws TensorError when the logits do not have one shape, or the temperature is not above 0.
 */
export function divergenceLosses(
  student: Tensor,
  teacher: Tensor,
  { temperature = 1 }: { readonly temperature?: number } = {},
): Tensor {
  if (!sameShape(student.shape, teacher.shape))
    throw new TensorError(
      "SHAPE_MISMATCH",
      `divergenceLosses: the logits of student ${describe(student)} and teacher ${describe(teacher)} need one shape.`,
    );
  const scale = 1 / checkedTemperature("divergenceLosses", temperature);
  const expected = logSoftmax(mul(teacher, scale));
  const differences = sub(expected, logSoftmax(mul(student, scale)));
  return reduceSum(mul(exp(expected), differences), { axes: [-1] });
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
