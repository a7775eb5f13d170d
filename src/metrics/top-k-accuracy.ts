import { z } from "zod";
import { defineMetric, type EvaluatedExample } from "./index.ts";
import { MetricError } from "./inputs.ts";
import { noExample, sumsMetric } from "./sums.ts";

/**
 * Share of labels among the k most likely predictions, in [0, 1]: 1 by itself when there are k classes or fewer. `NaN` over
 * nothing. It equals scikit-learn's `top_k_accuracy_score`; where scores tie, the order is the trainer's.
 */
export const topKAccuracy = defineMetric({
  description:
    "Share of labels that are among the k most likely predictions, from 0 to 1; equal to scikit-learn's top_k_accuracy_score.",
  options: z.strictObject({ k: z.int().min(1).default(5).describe("How many predictions may be tried.") }),
  create: ({ k }) =>
    sumsMetric({
      name: "top_k_accuracy",
      reads: ["topIds"],
      topK: k,
      length: 2,
      terms: (example) => {
        const { labels } = example;
        const topIds = readTopIds(example);
        const width = topIds.length / Math.max(1, labels.length);
        const right = labels.reduce((sum, label, at) => {
          const tried = topIds.subarray(at * width, at * width + Math.min(k, width));
          return sum + (tried.includes(label) ? 1 : 0);
        }, 0);
        return [right, labels.length];
      },
      value: ([right = 0, all = 0]) => right / all,
      whyUndefined: noExample,
    }),
});

/** (n, k) row by row; k is at least what the metric asked for, or the number of classes. */
function readTopIds({ topIds, labels, multiLabel }: EvaluatedExample): Int32Array {
  if (multiLabel)
    throw new MetricError(
      "METRIC_BAD_INPUT",
      "top_k_accuracy needs classes that exclude each other. Of several labels, use average_precision.",
    );
  if (
    topIds !== undefined &&
    (labels.length === 0 || (topIds.length > 0 && topIds.length % labels.length === 0))
  )
    return topIds;
  throw new MetricError(
    "METRIC_MISSING_INPUT",
    `top_k_accuracy reads \`topIds\`, as many for each of the ${labels.length} labels, and was given ${topIds?.length ?? "none"}.`,
  );
}
