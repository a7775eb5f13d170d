import type { EvaluatedExample, StreamingMetric } from "../index.ts";
import { readTexts } from "../inputs.ts";
import { noExample, sumsMetric } from "../sums.ts";

/** The mean over the examples of a text's score, of several references the best one. */
export function meanTextScore(
  name: string,
  scoreOf: (prediction: string, reference: string) => number,
  scale = 1,
): StreamingMetric {
  return sumsMetric({
    name,
    reads: ["texts"],
    length: 2,
    terms: (example: EvaluatedExample) => {
      const { prediction, references } = readTexts(name, example);
      return [Math.max(...references.map((reference) => scoreOf(prediction, reference))), 1];
    },
    value: ([sum = 0, count = 0]) => (scale * sum) / count,
    whyUndefined: noExample,
  });
}
