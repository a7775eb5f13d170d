import { FMeasure, fMeasureOptions } from "./classes/f-measures.ts";
import { defineMetric } from "./index.ts";

/**
 * Of what is of a class, the share that was predicted: right / actual, in [0, 1]. Over classes it is averaged; a class for which it is undefined
 * is left out of the average and named in a warning. It equals scikit-learn's `recall_score` with `zero_division=np.nan`, over
 * all classes of the classifier; without names of classes, over the ids that occur.
 */
export const recall = defineMetric({
  description:
    "Recall: the share of a class that was predicted, averaged over classes, from 0 to 1; equal to scikit-learn's recall_score.",
  options: fMeasureOptions,
  create: (options) => new FMeasure("recall", options),
});
