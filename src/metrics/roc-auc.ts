import { Ranking, rankingOptions, type Tie } from "./classes/ranking.ts";
import { defineMetric } from "./index.ts";

/**
 * The probability that an example of a class is scored higher than one of another, ties counting half: Mann and Whitney's U,
 * over all pairs. Every term is a multiple of 1/2, so that the sum is exact.
 */
function areaUnderCurve(ties: readonly Tie[]): number {
  let [wins, positives, negatives] = [0, 0, 0];
  for (const tie of ties) {
    wins += tie.negatives * (positives + tie.positives / 2);
    positives += tie.positives;
    negatives += tie.negatives;
  }
  return wins / positives / negatives;
}

/**
 * Area under the curve of true against false positive rate, in [0, 1]: 1 is perfect, 0.5 chance. Several classes are each
 * taken against the rest. A class without a positive or a negative example is undefined, left out of the average and named in
 * a warning (scikit-learn's average is then undefined). The state holds every probability: 8 bytes × classes an example.
 * Source: Hanley and McNeil (1982). It equals scikit-learn's `roc_auc_score` with `multi_class="ovr"`.
 */
export const rocAuc = defineMetric({
  description:
    "Area under the ROC curve, from 0 to 1 (perfect), 0.5 for chance; several classes each against the rest. Equal to scikit-learn's roc_auc_score.",
  options: rankingOptions,
  create: (options) => new Ranking("roc_auc", options, areaUnderCurve, "all examples are of it, or none is"),
});
