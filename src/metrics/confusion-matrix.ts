import { z } from "zod";
import { ConfusionCounts } from "./classes/confusion-counts.ts";
import { defineMetric, type EvaluatedExample, type StreamingMetric } from "./index.ts";
import type { MetricValue } from "./value.ts";

const options = z.strictObject({
  normalize: z
    .enum(["none", "true", "pred", "all"])
    .default("none")
    .describe("Counts, or shares of the true class (a row), of the predicted class (a column), or of all."),
});

/**
 * How often each class was taken for each: `{ [true]: { [predicted]: count } }`. Where classes do not exclude each other, for
 * each the counts of true and false positives and negatives. A share of nothing is `NaN`. It equals scikit-learn's
 * `confusion_matrix` and `multilabel_confusion_matrix`.
 */
class ConfusionMatrix implements StreamingMetric {
  readonly reads = ["predictedIds"] as const;
  readonly #normalize: z.output<typeof options>["normalize"];
  readonly #counts = new ConfusionCounts("confusion_matrix");

  constructor({ normalize }: z.output<typeof options>) {
    this.#normalize = normalize;
  }

  /** @throws MetricError */
  update(example: EvaluatedExample): void {
    this.#counts.update(example);
  }

  compute(): MetricValue {
    const counts = this.#counts;
    const { names } = counts;
    const ids = counts.ids();
    if (names.multiLabel)
      return Object.fromEntries(
        ids.map((id) => {
          const matrix = this.#matrix([0, 1], id);
          const [[trueNegatives = 0, falsePositives = 0] = [], [falseNegatives = 0, truePositives = 0] = []] =
            matrix;
          return [names.name(id), { trueNegatives, falsePositives, falseNegatives, truePositives }];
        }),
      );
    const matrix = this.#matrix(ids, 0);
    const named = <Value>(values: readonly Value[]): Readonly<Record<string, Value>> =>
      Object.fromEntries(values.map((value, at) => [names.name(ids[at] ?? at), value]));
    return named(matrix.map(named));
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
    return this.#counts.ids().length === 0 ? ["it saw no example"] : [];
  }

  /** Rows are true classes, columns predicted ones. */
  #matrix(ids: readonly number[], matrix: number): number[][] {
    const counts = ids.map((actual) => ids.map((predicted) => this.#counts.count(actual, predicted, matrix)));
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const rows = counts.map(sum);
    const columns = ids.map((_, column) => sum(counts.map((row) => row[column] ?? 0)));
    const whole = sum(rows);
    const divisor = (row: number, column: number): number =>
      ({ none: 1, true: rows[row] ?? 0, pred: columns[column] ?? 0, all: whole })[this.#normalize];
    return counts.map((row, at) => row.map((count, column) => count / divisor(at, column)));
  }
}

export const confusionMatrix = defineMetric({
  description:
    "Confusion matrix: how often each true class was predicted as each, as counts or shares from 0 to 1; equal to scikit-learn's.",
  options,
  create: (options) => new ConfusionMatrix(options),
});
