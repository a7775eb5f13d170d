import type { Model } from "../models/index.ts";
import { type ForwardContext, tokenLosses } from "../nn/index.ts";
import { type Dim, describe, input, leavesOf, sameShape, type Tensor } from "../tensor/index.ts";
import { TrainingError } from "./errors.ts";

/** A next-token model traced over one batch. */
export interface CausalGraph {
  /** int32 (B, T). */
  readonly inputIds: Tensor;
  /** int32 (B, T), already shifted; −100 does not count. */
  readonly labels: Tensor;
  /** (B, T, V). */
  readonly logits: Tensor;
  /** Cross-entropy in nats, 0 where the label does not count, (B·T). */
  readonly losses: Tensor;
}

/**
 * Traces a model, and checks what it gave back.
 *
 * @throws TrainingError when the logits do not have the shape (B, T, V) or do not depend on the ids.
 */
export function traceCausal(model: Model, batch: Dim, length: Dim, context: ForwardContext): CausalGraph {
  const inputIds = input("input_ids", "int32", [batch, length]);
  const labels = input("labels", "int32", [batch, length]);
  const { logits } = model.forward({ inputIds }, context);
  const expected = [batch, length, model.vocabSize];
  if (!sameShape(logits.shape, expected))
    throw new TrainingError(
      "BAD_LOGITS",
      `The model gave logits ${describe(logits)}; a causal language model gives (${expected.join(", ")}): batch, sequence, vocabSize.`,
    );
  if (!leavesOf([logits]).includes(inputIds))
    throw new TrainingError(
      "INPUT_IGNORED",
      "The model's logits do not depend on its input: forward() must use inputIds. There is nothing to learn this way.",
    );
  return { inputIds, labels, logits, losses: tokenLosses(logits, labels) };
}
