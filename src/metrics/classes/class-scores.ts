import { z } from "zod";
import type { EvaluatedExample } from "../index.ts";
import { MetricError, readState } from "../inputs.ts";
import { classesSchema } from "./confusion-counts.ts";
import { ClassNames } from "./names.ts";

const stateSchema = z.strictObject({
  names: classesSchema.nullable(),
  labels: z.array(z.int()),
  scores: z.array(z.number()),
});

/** One class against the rest: how each example was scored for it, and whether it is of it. */
export interface ScoredClass {
  readonly id: number;
  readonly scores: readonly number[];
  readonly isOfIt: readonly boolean[];
}

/**
 * The probabilities of every example, which metrics that rank examples need all at once: K numbers an example, 8 bytes each
 * in memory, some 20 in a saved state.
 */
export class ClassScores {
  readonly names: ClassNames;
  readonly #metric: string;
  /** One an example, or K with several labels. */
  readonly #labels: number[] = [];
  /** (examples, K) row by row. */
  readonly #scores: number[] = [];

  constructor(metric: string) {
    this.#metric = metric;
    this.names = new ClassNames(metric);
  }

  /** @throws MetricError */
  update(example: EvaluatedExample): void {
    const probabilities = readProbabilities(this.#metric, example);
    this.names.take(example);
    this.#labels.push(...example.labels);
    this.#scores.push(...probabilities);
  }

  reset(): void {
    this.names.reset();
    this.#labels.length = 0;
    this.#scores.length = 0;
  }

  /** Every class against the rest. */
  perClass(): ScoredClass[] {
    const count = this.names.known?.length ?? 0;
    const rows = Array.from({ length: count === 0 ? 0 : this.#scores.length / count }, (_, row) => row);
    return Array.from({ length: count }, (_, id) => ({
      id,
      scores: rows.map((row) => this.#scores[row * count + id] ?? Number.NaN),
      isOfIt: rows.map((row) =>
        this.names.multiLabel ? this.#labels[row * count + id] === 1 : this.#labels[row] === id,
      ),
    }));
  }

  state(): z.output<typeof stateSchema> {
    const names = this.names.state();
    return {
      names: names && { ...names, classes: names.classes && [...names.classes] },
      labels: [...this.#labels],
      scores: [...this.#scores],
    };
  }

  /** @throws MetricError */
  merge(state: unknown): void {
    const { names, labels, scores } = readState(this.#metric, stateSchema, state);
    this.names.merge(names);
    for (const label of labels) this.#labels.push(label);
    for (const score of scores) this.#scores.push(score);
  }
}

/**
 * A classifier's probabilities, one for each of `classes`.
 *
 * @throws MetricError `METRIC_MISSING_INPUT` when they or the names of the classes are absent, or do not fit each other.
 */
export function readProbabilities(metric: string, example: EvaluatedExample): Float32Array {
  const { probabilities, classes, labels, multiLabel } = example;
  if (
    probabilities !== undefined &&
    classes !== undefined &&
    probabilities.length === classes.length &&
    labels.length === (multiLabel ? classes.length : 1)
  )
    return probabilities;
  throw new MetricError(
    "METRIC_MISSING_INPUT",
    `${metric} reads \`probabilities\`, one for each of a classifier's \`classes\`, and was given ` +
      `${probabilities?.length ?? "none"} for ${classes?.length ?? "no"} classes and ${labels.length} labels.`,
  );
}
