import { FMeasure, fMeasureOptions } from "./classes/f-measures.ts";
import { defineMetric } from "./index.ts";

/**
 * Harmonic mean of precision and recall: 2 · right / (predicted + actual), in [0, 1]. Over classes it is averaged; a class for which it is undefined
 * is left out of the average and named in a warning. It equals scikit-learn's `f1_score` with `zero_division=np.nan`, over
 * all classes of the classifier; without names of classes, over the ids that occur.
 */
export const f1 = defineMetric({
  description:
    "F1: harmonic mean of precision and recall of a class, averaged over classes, from 0 to 1; equal to scikit-learn's f1_score.",
  options: fMeasureOptions,
  create: (options) => new FMeasure("f1", options),
});
