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
  "outcome",
];

/**
 * What an evaluation gives: of a language model (`tokens`), of classes that exclude each other (`classes`) or do not
 * (`labels`), of generated texts (`texts`), or of attempts at tasks (`outcomes`).
 */
export type SampleKind = "tokens" | "classes" | "labels" | "texts" | "outcomes";

/** The samples that a metric is tried on when nobody says: by what it reads. */
function kindFor(metric: Metric): SampleKind {
  const reads = new Set<MetricInput>(typeof metric === "function" ? [] : metric.reads);
  if (reads.has("outcome")) return "outcomes";
  if (reads.has("texts")) return "texts";
  return reads.has("probabilities") ? "classes" : "tokens";
}

export interface SampleChoice {
  readonly examples?: readonly EvaluatedExample[];
  readonly samples?: SampleKind;
}

/** The examples that were given, or ten of the kind that was named, or of that which the metric reads. */
export function examplesFor(
  metric: Metric,
  { examples, samples = kindFor(metric) }: SampleChoice,
): readonly EvaluatedExample[] {
  if (examples !== undefined) return examples;
  const width = typeof metric === "function" ? 1 : (metric.topK ?? 5);
  return makers[samples](new Random(0x3e7), width);
}

const COUNT = 10;
const makers: Readonly<Record<SampleKind, (random: Random, width: number) => EvaluatedExample[]>> = {
  tokens: tokenExamples,
  classes: classExamples,
  labels: labelExamples,
  texts: (random, width) =>
    tokenExamples(random, width).map((example) => ({ ...example, texts: sampleTexts(random) })),
  outcomes: (random, width) =>
    tokenExamples(random, width).map((example, at) => ({
      ...example,
      outcome: { task: `task ${at % 3}`, passed: random.integer(2) === 0 },
    })),
};

/** Sequences of 1 to 17 tokens with every input of a language model; about half of the predictions are right. */
function tokenExamples(random: Random, width: number): EvaluatedExample[] {
  const top = new Random(0x707);
  return Array.from({ length: COUNT }, (_, index) => {
    const length = index === 1 ? 1 : 2 + random.integer(16);
    const labels = Int32Array.from({ length }, () => random.integer(50));
    const tokenLosses = Float32Array.from(labels, () => 8 * random.uniform());
    const predictedIds = labels.map((label) => (random.integer(2) === 0 ? label : random.integer(50)));
    const labelBytes = labels.map(() => random.integer(5));
    const others = (id: number) => Array.from({ length: width - 1 }, () => (id + 1 + top.integer(49)) % 50);
    const topIds = Int32Array.from([...predictedIds].flatMap((id) => [id, ...others(id)]));
    return { labels, tokenLosses, predictedIds, labelBytes, topIds };
  });
}

const classes: readonly string[] = ["bug", "question", "wish"];

/** One label of three an example; probabilities in tenths, so that some tie. Every class occurs, once anyhow. */
function classExamples(random: Random, width: number): EvaluatedExample[] {
  return Array.from({ length: COUNT }, (_, index) => {
    const label = index < classes.length ? index : random.integer(classes.length);
    const weights = classes.map((_, at) => 1 + random.integer(4) + (at === label ? 2 : 0));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const probabilities = Float32Array.from(weights, (weight) => weight / sum);
    const order = [...classes.keys()].sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
    return {
      labels: Int32Array.of(label),
      classes,
      probabilities,
      predictedIds: Int32Array.of(order[0] ?? 0),
      topIds: Int32Array.from(order.slice(0, width)),
      tokenLosses: Float32Array.of(-Math.log(probabilities[label] ?? 1)),
    };
  });
}

/** Any of three labels an example. Each occurs, and none always. */
function labelExamples(random: Random): EvaluatedExample[] {
  return Array.from({ length: COUNT }, (_, index) => {
    const labels = Int32Array.from(classes, (_, at) =>
      (index < classes.length ? index === at : random.integer(2) === 0) ? 1 : 0,
    );
    const probabilities = Float32Array.from(labels, (label) => (random.integer(6) + 2 * label) / 8);
    return {
      labels,
      classes,
      multiLabel: true,
      probabilities,
      predictedIds: Int32Array.from(probabilities, (probability) => (probability > 0.5 ? 1 : 0)),
      tokenLosses: Float32Array.from(labels, () => random.uniform()),
    };
  });
}

const words = ["the", "Cat", "sat,", "on", "3.5", "naïve", "mats;", "日本", "😀", "again."];

/** A prediction near the first of one to three references. */
function sampleTexts(random: Random): NonNullable<EvaluatedExample["texts"]> {
  const word = () => words[random.integer(words.length)] ?? "";
  const reference = () => Array.from({ length: 3 + random.integer(8) }, word);
  const first = reference();
  const prediction = first.map((one) => (random.integer(3) === 0 ? word() : one));
  const references = [first, ...Array.from({ length: random.integer(3) }, reference)];
  return { prediction: prediction.join(" "), references: references.map((one) => one.join(" ")) };
}

/** The same examples with only what a metric reads, and what every example of a classifier says of its classes. */
export function limited(
  examples: readonly EvaluatedExample[],
  reads: readonly MetricInput[],
): EvaluatedExample[] {
  return examples.map((example) => ({
    labels: example.labels,
    ...(example.classes !== undefined && { classes: example.classes }),
    ...(example.multiLabel !== undefined && { multiLabel: example.multiLabel }),
    ...Object.fromEntries(reads.map((name) => [name, example[name]])),
  }));
}

/** A metric's value over examples, from an empty state on. */
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

export async function observeMetric(metric: Metric, choice: SampleChoice): Promise<Observation> {
  return { value: valueOver(metric, examplesFor(metric, choice)) };
}
