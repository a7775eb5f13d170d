import { FMeasure, fMeasureOptions } from "./classes/f-measures.ts";
import { defineMetric } from "./index.ts";

/**
 * Of what was predicted to be of a class, the share that is: right / predicted, in [0, 1]. Over classes it is averaged; a class for which it is undefined
 * is left out of the average and named in a warning. It equals scikit-learn's `precision_score` with `zero_division=np.nan`, over
 * all classes of the classifier; without names of classes, over the ids that occur.
 */
export const precision = defineMetric({
  description:
    "Precision: the share of predictions of a class that are right, averaged over classes, from 0 to 1; equal to scikit-learn's precision_score.",
  options: fMeasureOptions,
  create: (options) => new FMeasure("precision", options),
});
