import type { EvaluatedExample, Metric, MetricInput, MetricValue } from "../metrics/index.ts";
import { Random } from "../tensor/random.ts";
import type { Observation } from "./difference.ts";

export const metricInputs: readonly MetricInput[] = [
  "tokenLosses",
  "predictedIds",
  "labelBytes",
  "topIds",
  "probabilities",
  "texts",
];

/** Sequences of 1 to 17 tokens as an evaluation gives them, with every input; about half of the predictions are right. */
export function sampleExamples(count = 10): EvaluatedExample[] {
  const random = new Random(0x3e7);
  return Array.from({ length: count }, (_, index) => {
    const length = index === 1 ? 1 : 2 + random.integer(16);
    const labels = Int32Array.from({ length }, () => random.integer(50));
    return {
      labels,
      tokenLosses: Float32Array.from(labels, () => 8 * random.uniform()),
      predictedIds: labels.map((label) => (random.integer(2) === 0 ? label : random.integer(50))),
      labelBytes: labels.map(() => random.integer(5)),
    };
  });
}

/** The same sequences with only what a metric reads. */
export function limited(
  examples: readonly EvaluatedExample[],
  reads: readonly MetricInput[],
): EvaluatedExample[] {
  return examples.map((example) => ({
    labels: example.labels,
    ...Object.fromEntries(reads.map((name) => [name, example[name]])),
  }));
}

/** A metric's value over sequences, from an empty state on. */
export function valueOver(metric: Metric, examples: readonly EvaluatedExample[]): MetricValue {
  if (typeof metric === "function")
    return metric({
      predictions: examples.map(({ predictedIds }) => predictedIds ?? new Int32Array()),
      references: examples.map(({ labels }) => labels),
    });
  metric.reset();
  for (const example of examples) metric.update(example);
  return metric.compute();
}

export async function observeMetric(
  metric: Metric,
  { examples = sampleExamples() }: { readonly examples?: readonly EvaluatedExample[] },
): Promise<Observation> {
  return { value: valueOver(metric, examples) };
}
