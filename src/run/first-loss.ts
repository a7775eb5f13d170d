import type { Model } from "../models/index.ts";
import type { StepEvent, Trainer, WarningEvent } from "../trainers/index.ts";

/** Share of the expected loss that the first may be off by, and nats that it may be off by where few classes make that little. */
const SHARE = 0.25;
const NATS = 0.5;

/** What is known of the weights that a run starts with. */
export type InitialWeights = "fresh" | "pretrained" | "unknown";

/**
 * `LOSS_AT_START`: a model that knows nothing gives every answer the same probability, which costs ln(vocabulary) nats, or
 * ln(classes). A first loss far from it tells of weights, logits or labels that are not what one thinks.
 *
 * @param weights Of pretrained ones nothing can be said; of those that a program built, only that a loss is too high.
 */
export function firstLossWarning(
  { loss }: StepEvent,
  model: Model,
  trainer: Trainer,
  weights: InitialWeights,
): WarningEvent | undefined {
  if (weights === "pretrained") return undefined;
  const expected =
    trainer.objective === undefined && model.task === "causal_lm"
      ? Math.log(model.vocabSize)
      : trainer.objective?.(model).uniformLoss?.(model);
  if (expected === undefined) return undefined;
  const off = loss - expected;
  if (Math.abs(off) <= Math.max(NATS, SHARE * expected)) return undefined;
  if (off < 0 && weights === "unknown") return undefined;
  const found = `the first loss is ${loss.toFixed(2)}, and a model that knows nothing has ${expected.toFixed(2)} (the logarithm of the number of answers)`;
  return {
    type: "warning",
    code: "LOSS_AT_START",
    message:
      off > 0
        ? `${found}: it is sure of what is wrong. Usually its initial weights are too large (a standard deviation of 0.02 is common), or its logits are not what the loss expects`
        : `${found}: less is impossible before the first update, unless it sees what it is to predict (labels among the inputs, shifted twice), or its weights are not fresh`,
    numbers: { loss, expected },
  };
}
