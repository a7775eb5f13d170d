import { z } from "zod";
import { readProbabilities } from "./classes/class-scores.ts";
import { defineMetric, type EvaluatedExample } from "./index.ts";
import { noExample, sumsMetric } from "./sums.ts";

const name = "expected_calibration_error";

/**
 * How far confidence is from being right, in [0, 1]: predictions are sorted by confidence into bins of equal width, and of
 * each the distance of mean confidence and accuracy counts by its size (`l1`). 0 is calibrated. A bin holds its upper edge,
 * not its lower one. Confidence is the largest probability; where classes do not exclude each other, each class is a
 * prediction by itself. `NaN` over nothing. Source: Guo et al. (2017), "On Calibration of Modern Neural Networks",
 * equations 3 and 5; `l2` and `max` as in Kumar et al. (2019) and Guo's equation 4.
 */
export const expectedCalibrationError = defineMetric({
  description:
    "Expected calibration error: mean distance of a classifier's confidence from its accuracy, from 0 (calibrated) to 1. Guo et al. (2017).",
  options: z.strictObject({
    bins: z
      .int()
      .min(1)
      .default(15)
      .describe("How many intervals of equal width confidences are sorted into."),
    norm: z
      .enum(["l1", "l2", "max"])
      .default("l1")
      .describe(
        "l1: mean distance; l2: root of the mean square; max: the worst bin (maximum calibration error).",
      ),
  }),
  create: ({ bins, norm }) =>
    sumsMetric({
      name,
      reads: ["probabilities"],
      // Of each bin: predictions, sum of confidences, right ones.
      length: 3 * bins,
      terms: (example) => {
        const sums = new Array<number>(3 * bins).fill(0);
        for (const [confidence, isRight] of decisions(example)) {
          const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
          for (const [at, term] of [1, confidence, isRight ? 1 : 0].entries())
            sums[3 * bin + at] = (sums[3 * bin + at] ?? 0) + term;
        }
        return sums;
      },
      value: (sums) => {
        const all = sums.reduce((total, sum, at) => total + (at % 3 === 0 ? sum : 0), 0);
        if (all === 0) return Number.NaN;
        const gaps = Array.from({ length: bins }, (_, bin): [size: number, gap: number] => {
          const [size = 0, confidence = 0, right = 0] = sums.slice(3 * bin, 3 * bin + 3);
          return [size, size === 0 ? 0 : Math.abs(right - confidence) / size];
        });
        if (norm === "max") return Math.max(...gaps.map(([, gap]) => gap));
        const power = norm === "l2" ? 2 : 1;
        return gaps.reduce((total, [size, gap]) => total + (size / all) * gap ** power, 0) ** (1 / power);
      },
      whyUndefined: noExample,
    }),
});

/** Confidence and whether it was right, of each decision. */
function decisions(example: EvaluatedExample): [number, boolean][] {
  const probabilities = readProbabilities(name, example);
  const { labels } = example;
  if (example.multiLabel)
    return Array.from(probabilities, (probability, at) => [probability, labels[at] === 1]);
  const confidence = probabilities.reduce((most, one) => Math.max(most, one), 0);
  return [[confidence, probabilities.indexOf(confidence) === labels[0]]];
}
