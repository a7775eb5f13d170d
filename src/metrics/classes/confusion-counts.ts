import { z } from "zod";
import type { EvaluatedExample } from "../index.ts";
import { countSchema, readInput, readState } from "../inputs.ts";
import { ClassNames } from "./names.ts";

/** How often class `actual` was taken for `predicted`. */
type Matrix = Map<number, Map<number, number>>;

const classesSchema = z.strictObject({ classes: z.array(z.string()).nullable(), multiLabel: z.boolean() });
const stateSchema = z.strictObject({
  names: classesSchema.nullable(),
  counts: z.array(z.tuple([countSchema, z.int(), z.int(), countSchema])),
});

export { classesSchema };

/** What became of one class, or of all together. */
export interface ClassCount {
  readonly id: number;
  /** Rightly predicted. */
  readonly right: number;
  readonly predicted: number;
  readonly actual: number;
}

/**
 * What precision, recall, F1, MCC and the confusion matrix are computed from: how often each class was taken for each. Where
 * classes do not exclude each other, a matrix of 0 and 1 each. Its size is that of the pairs that occur.
 */
export class ConfusionCounts {
  readonly names: ClassNames;
  readonly #metric: string;
  readonly #matrices = new Map<number, Matrix>();

  constructor(metric: string) {
    this.#metric = metric;
    this.names = new ClassNames(metric);
  }

  /** @throws MetricError */
  update(example: EvaluatedExample): void {
    const predicted = readInput(this.#metric, example, "predictedIds");
    this.names.take(example);
    for (const [at, label] of example.labels.entries())
      this.#add(example.multiLabel ? at : 0, label, predicted[at] ?? -1, 1);
  }

  reset(): void {
    this.names.reset();
    this.#matrices.clear();
  }

  /** The count of a pair, in the matrix of classes that exclude each other or in that of one class. */
  count(actual: number, predicted: number, matrix = 0): number {
    return this.#matrices.get(matrix)?.get(actual)?.get(predicted) ?? 0;
  }

  /** Ids of all classes: of the named ones, or else of those that occur, in order. */
  ids(): number[] {
    if (this.names.known !== undefined) return [...this.names.known.keys()];
    if (this.names.multiLabel) return [...this.#matrices.keys()].sort((a, b) => a - b);
    const matrix = [...(this.#matrices.get(0) ?? [])];
    const ids = new Set(matrix.flatMap(([actual, row]) => [actual, ...row.keys()]));
    return [...ids].sort((a, b) => a - b);
  }

  /** Each class by itself, in the order of {@link ids}. */
  perClass(): ClassCount[] {
    if (this.names.multiLabel)
      return this.ids().map((id) => {
        const right = this.count(1, 1, id);
        return { id, right, predicted: right + this.count(0, 1, id), actual: right + this.count(1, 0, id) };
      });
    const counts = new Map(this.ids().map((id) => [id, { id, right: 0, predicted: 0, actual: 0 }]));
    for (const [actual, row] of this.#matrices.get(0) ?? [])
      for (const [predicted, count] of row) {
        const [there, here] = [counts.get(actual), counts.get(predicted)];
        if (there !== undefined) there.actual += count;
        if (here !== undefined) here.predicted += count;
        if (actual === predicted && there !== undefined) there.right += count;
      }
    return [...counts.values()];
  }

  state(): z.output<typeof stateSchema> {
    const counts = [...this.#matrices].flatMap(([matrix, rows]) =>
      [...rows].flatMap(([actual, row]) =>
        [...row].map(([predicted, count]): [number, number, number, number] => [
          matrix,
          actual,
          predicted,
          count,
        ]),
      ),
    );
    counts.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    const names = this.names.state();
    return { names: names && { ...names, classes: names.classes && [...names.classes] }, counts };
  }

  /** @throws MetricError */
  merge(state: unknown): void {
    const { names, counts } = readState(this.#metric, stateSchema, state);
    this.names.merge(names);
    for (const count of counts) this.#add(...count);
  }

  #add(matrix: number, actual: number, predicted: number, count: number): void {
    const rows: Matrix = this.#matrices.get(matrix) ?? new Map();
    this.#matrices.set(matrix, rows);
    const row = rows.get(actual) ?? new Map<number, number>();
    rows.set(actual, row);
    row.set(predicted, (row.get(predicted) ?? 0) + count);
  }
}
