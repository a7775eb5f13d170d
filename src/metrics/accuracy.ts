import { z } from "zod";
import { defineMetric } from "./index.ts";
import { readInput } from "./inputs.ts";
import { noExample, sumsMetric } from "./sums.ts";

/**
 * Share of predictions that are right, in [0, 1]. Where classes do not exclude each other, share of examples with every class
 * right (subset accuracy). Of sequences, share of tokens. `NaN` over nothing. It equals scikit-learn's `accuracy_score`.
 */
export const accuracy = defineMetric({
  description:
    "Share of predictions that are right, from 0 to 1; with several labels, of examples with all labels right. Equal to scikit-learn's accuracy_score.",
  options: z.strictObject({}),
  create: () =>
    sumsMetric({
      name: "accuracy",
      reads: ["predictedIds"],
      length: 2,
      terms: (example) => {
        const predicted = readInput("accuracy", example, "predictedIds");
        const right = example.labels.reduce((sum, label, at) => sum + (predicted[at] === label ? 1 : 0), 0);
        const { length } = example.labels;
        return example.multiLabel ? [right === length ? 1 : 0, 1] : [right, length];
      },
      value: ([right = 0, all = 0]) => right / all,
      whyUndefined: noExample,
    }),
});
