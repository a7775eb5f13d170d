import { z } from "zod";
import { ConfusionCounts } from "./classes/confusion-counts.ts";
import { defineMetric, type EvaluatedExample, type StreamingMetric } from "./index.ts";
import { MetricError } from "./inputs.ts";

/**
 * Matthews correlation coefficient, in [−1, 1]: 1 is perfect, 0 no better than chance. It is high only when every class does
 * well. Undefined (`NaN`, or `zeroDivision`) when all labels or all predictions are of one class. Source: Gorodkin (2004),
 * "Comparing two K-category assignments by a K-category correlation coefficient". It equals scikit-learn's
 * `matthews_corrcoef`, which gives 0 where it is undefined.
 */
class Mcc implements StreamingMetric {
  readonly reads = ["predictedIds"] as const;
  readonly #counts = new ConfusionCounts("mcc");
  readonly #zeroDivision: number;

  constructor(zeroDivision: number) {
    this.#zeroDivision = zeroDivision;
  }

  /** @throws MetricError */
  update(example: EvaluatedExample): void {
    if (example.multiLabel)
      throw new MetricError(
        "METRIC_BAD_INPUT",
        "mcc needs classes that exclude each other. Of several labels, use f1 or average_precision.",
      );
    this.#counts.update(example);
  }

  compute(): number {
    const counts = this.#counts.perClass();
    const sum = (term: (count: (typeof counts)[number]) => number) =>
      counts.reduce((total, count) => total + term(count), 0);
    const all = sum(({ actual }) => actual);
    const together = sum(({ right }) => right) * all - sum(({ predicted, actual }) => predicted * actual);
    const predictions = all ** 2 - sum(({ predicted }) => predicted ** 2);
    const labels = all ** 2 - sum(({ actual }) => actual ** 2);
    if (all === 0) return Number.NaN;
    if (predictions === 0 || labels === 0) return this.#zeroDivision;
    return together / (Math.sqrt(predictions) * Math.sqrt(labels));
  }

  reset(): void {
    this.#counts.reset();
  }

  state(): unknown {
    return this.#counts.state();
  }

  /** @throws MetricError */
  merge(state: unknown): void {
    this.#counts.merge(state);
  }

  warnings(): readonly string[] {
    if (!Number.isNaN(this.compute())) return [];
    return [
      this.#counts.ids().length === 0
        ? "it saw no example"
        : "it is undefined: all labels, or all predictions, are of one class",
    ];
  }
}

export const mcc = defineMetric({
  description:
    "Matthews correlation coefficient of predicted and true classes, from −1 to 1 (perfect), 0 for chance; equal to scikit-learn's matthews_corrcoef.",
  options: z.strictObject({
    zeroDivision: z
      .union([z.literal("NaN"), z.literal(0)])
      .default("NaN")
      .describe("The value where it is undefined; scikit-learn's is 0."),
  }),
  create: ({ zeroDivision }) => new Mcc(Number(zeroDivision)),
});
