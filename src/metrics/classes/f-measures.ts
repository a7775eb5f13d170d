import { z } from "zod";
import type { EvaluatedExample, StreamingMetric } from "../index.ts";
import type { MetricValue } from "../value.ts";
import { meanOfDefined, namedClasses, positiveOption } from "./average.ts";
import { type ClassCount, ConfusionCounts } from "./confusion-counts.ts";

export const fMeasureOptions = z.strictObject({
  average: z
    .enum(["macro", "micro", "weighted", "binary", "none"])
    .default("macro")
    .describe(
      "macro: mean over classes; weighted: the same by how often each occurs; micro: over all decisions together; binary: the class `positive` alone; none: each class by itself.",
    ),
  positive: positiveOption,
  zeroDivision: z
    .union([z.literal("NaN"), z.literal(0), z.literal(1)])
    .default("NaN")
    .describe("What a class scores where the score is undefined; averages leave NaN out."),
});

type Options = z.output<typeof fMeasureOptions>;
type Name = "precision" | "recall" | "f1";

/** Numerator and denominator, and when the latter is zero. */
const ratios: Readonly<
  Record<Name, { of(count: ClassCount): readonly [number, number]; readonly undefinedWhen: string }>
> = {
  precision: { of: ({ right, predicted }) => [right, predicted], undefinedWhen: "never predicted" },
  recall: { of: ({ right, actual }) => [right, actual], undefinedWhen: "not in the labels" },
  f1: {
    of: ({ right, predicted, actual }) => [2 * right, predicted + actual],
    undefinedWhen: "neither predicted nor in the labels",
  },
};

/** Precision, recall or F1 of classes, averaged as scikit-learn does. */
export class FMeasure implements StreamingMetric {
  readonly reads = ["predictedIds"] as const;
  readonly #name: Name;
  readonly #options: Options;
  readonly #counts: ConfusionCounts;

  constructor(name: Name, options: Options) {
    this.#name = name;
    this.#options = options;
    this.#counts = new ConfusionCounts(name);
  }

  /** @throws MetricError */
  update(example: EvaluatedExample): void {
    this.#counts.update(example);
  }

  /** @throws MetricError `METRIC_BAD_INPUT` when there is no class `positive` and the average is binary. */
  compute(): MetricValue {
    const counts = this.#judged();
    const { average } = this.#options;
    const scores = counts.map((count) => this.#score(count));
    if (average === "none")
      return Object.fromEntries(
        counts.map(({ id }, at) => [this.#counts.names.name(id), scores[at] ?? Number.NaN]),
      );
    if (counts.length === 0) return Number.NaN;
    if (average === "weighted")
      return meanOfDefined(
        scores,
        counts.map(({ actual }) => actual),
      );
    return meanOfDefined(scores);
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
    const counts = this.#judged();
    if (counts.length === 0) return ["it saw no example"];
    const { average } = this.#options;
    const lost = counts.filter((count) => Number.isNaN(this.#score(count)));
    if (lost.length === 0) return [];
    const when = ratios[this.#name].undefinedWhen;
    if (average === "micro") return [`it is undefined: every class is ${when}`];
    const names = namedClasses(lost.map(({ id }) => this.#counts.names.name(id)));
    const leftOut = average === "macro" || average === "weighted" ? " and left out of the average" : "";
    return [`it is undefined${leftOut} for ${names}: ${when}`];
  }

  /** The counts that make a score each. */
  #judged(): ClassCount[] {
    const all = this.#counts.perClass();
    const { average, positive } = this.#options;
    if (all.length === 0) return [];
    if (average === "binary") {
      const id = this.#counts.names.positive(positive);
      return [all.find((count) => count.id === id) ?? { id, right: 0, predicted: 0, actual: 0 }];
    }
    if (average !== "micro") return all;
    const sum = (key: "right" | "predicted" | "actual") =>
      all.reduce((total, count) => total + count[key], 0);
    return [{ id: 0, right: sum("right"), predicted: sum("predicted"), actual: sum("actual") }];
  }

  #score(count: ClassCount): number {
    const [numerator, denominator] = ratios[this.#name].of(count);
    return denominator === 0 ? Number(this.#options.zeroDivision) : numerator / denominator;
  }
}
