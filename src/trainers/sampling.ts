import type { Random } from "../tensor/index.ts";
import { TrainingError } from "./errors.ts";

export interface SamplingOptions {
  /** Divides the logits; 0 always takes the most likely token. Default 1. */
  readonly temperature?: number;
  /** Only the k most likely tokens (Fan et al. 2018). */
  readonly topK?: number;
  /** Only the most likely tokens that together reach this probability (Holtzman et al. 2020). */
  readonly topP?: number;
}

/** Draws the id of the next token from its logits, shape (V). Equal logits and generator state give equal ids. */
export function sampleToken(
  logits: Float32Array,
  { temperature = 1, topK, topP }: SamplingOptions,
  random: Random,
): number {
  if (logits.some((logit) => Number.isNaN(logit) || logit === Number.POSITIVE_INFINITY))
    throw new TrainingError("WEIGHTS_BROKEN", "The model's logits are not finite: its weights are broken.");
  // Most likely first; sorting is stable, so that ties go to the smaller id.
  const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  const best = order[0] ?? 0;
  if (temperature === 0) return best;
  const kept = topK === undefined ? order : order.slice(0, topK);
  const max = logits[best] ?? 0;
  const weights = kept.map((id) => Math.exp(((logits[id] ?? Number.NEGATIVE_INFINITY) - max) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let end = kept.length;
  let mass = total;
  if (topP !== undefined) {
    mass = 0;
    end = 0;
    // At least one token stays, and the one that crosses the limit is in.
    while (end < kept.length && (end === 0 || mass < topP * total)) mass += weights[end++] ?? 0;
  }
  let draw = random.uniform() * mass;
  for (let index = 0; index < end; index++) {
    draw -= weights[index] ?? 0;
    if (draw < 0) return kept[index] ?? best;
  }
  return kept[end - 1] ?? best;
}
