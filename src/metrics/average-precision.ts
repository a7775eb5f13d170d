import { Ranking, rankingOptions, type Tie } from "./classes/ranking.ts";
import { defineMetric } from "./index.ts";

/** Σ (recall gained at a score) · precision down to that score, without interpolation. */
function averagePrecision(ties: readonly Tie[]): number {
  const all = ties.reduce((sum, { positives }) => sum + positives, 0);
  let [positives, seen, sum] = [0, 0, 0];
  for (const tie of ties) {
    positives += tie.positives;
    seen += tie.positives + tie.negatives;
    sum += (tie.positives * positives) / seen;
  }
  return sum / all;
}

/**
 * Average precision, the area under the precision-recall curve by steps, in [0, 1]: 1 is perfect, the share of positives
 * chance. Several classes are each taken against the rest. A class without a positive example is undefined, left out of the
 * average and named in a warning (scikit-learn gives it 0). The state holds every probability: 8 bytes × classes an example.
 * It equals scikit-learn's `average_precision_score`.
 */
export const averagePrecisionMetric = defineMetric({
  description:
    "Average precision (area under the precision-recall curve), from 0 to 1 (perfect); several classes each against the rest. Equal to scikit-learn's average_precision_score.",
  options: rankingOptions,
  create: (options) => new Ranking("average_precision", options, averagePrecision, "no example is of it"),
});
