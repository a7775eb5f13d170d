import {
  cast,
  crossEntropy,
  equal,
  mul,
  replaceWhere,
  reshape,
  sizeOf,
  sub,
  type Tensor,
} from "../tensor/index.ts";

/** A label that does not count, as in PyTorch and Hugging Face. */
export const IGNORE_INDEX = -100;

/**
 * Cross-entropy of every position in nats, 0 where the label is {@link IGNORE_INDEX}: logits (B, T, V) and int32 labels
 * (B, T) → (B·T). Labels are compared as they stand; whoever calls has shifted them.
 */
export function tokenLosses(logits: Tensor, labels: Tensor): Tensor {
  const rows = sizeOf(labels.shape);
  const flat = reshape(labels, [rows]);
  const ignored = equal(flat, IGNORE_INDEX);
  const counted = sub(1, cast(ignored, logits.dtype));
  return mul(crossEntropy(reshape(logits, [rows, logits.dim(-1)]), replaceWhere(ignored, 0, flat)), counted);
}
