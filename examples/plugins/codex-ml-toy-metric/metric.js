// @ts-check
/** @import { MetricFunction } from "codex-ml/registry" */
import { defineMetric } from "codex-ml/registry";

/**
 * Of each sequence, the share of tokens predicted right; of these shares, the mean, in [0, 1]. `NaN` over no sequence.
 *
 * A short sequence weighs as much as a long one, unlike in `token_accuracy`, where every token weighs the same.
 *
 * @type {MetricFunction}
 */
const score = ({ predictions, references }) => {
  let sum = 0;
  for (const [row, labels] of references.entries()) {
    const right = Array.from(labels).filter((label, at) => label === predictions[row]?.[at]).length;
    sum += right / labels.length;
  }
  return sum / references.length;
};

/** A definition without options: whoever gives it one is told that it takes none. */
export const build = defineMetric({ create: () => score });
