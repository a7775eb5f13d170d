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
function score({ predictions, references }) {
  const shares = references.map((labels, row) => {
    const right = Array.from(labels).filter((label, at) => label === predictions[row][at]);
    return right.length / labels.length;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** A definition without options: whoever gives it one is told that it takes none. */
export const build = defineMetric({ create: () => score });
