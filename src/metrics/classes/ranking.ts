import { z } from "zod";
import type { EvaluatedExample, StreamingMetric } from "../index.ts";
import type { MetricValue } from "../value.ts";
import { meanOfDefined, namedClasses, positiveOption } from "./average.ts";
import { ClassScores, type ScoredClass } from "./class-scores.ts";

export const rankingOptions = z.strictObject({
  average: z
    .enum(["macro", "weighted", "micro", "none"])
    .default("macro")
    .describe(
      "macro: mean over classes, each against the rest; weighted: the same by how often each occurs; micro: over all decisions together; none: each class by itself. Of two classes that exclude each other, any but none gives that of `positive`.",
    ),
  positive: positiveOption,
});

/** Examples with one score, from the highest score on. */
export interface Tie {
  readonly positives: number;
  readonly negatives: number;
}

/** A score of how well examples are ranked, of classes against the rest. */
export class Ranking implements StreamingMetric {
  readonly reads = ["probabilities"] as const;
  readonly #options: z.output<typeof rankingOptions>;
  readonly #scores: ClassScores;
  readonly #score: (ties: readonly Tie[]) => number;
  readonly #undefinedWhen: string;

  constructor(
    name: string,
    options: z.output<typeof rankingOptions>,
    score: (ties: readonly Tie[]) => number,
    undefinedWhen: string,
  ) {
    this.#options = options;
    this.#scores = new ClassScores(name);
    this.#score = score;
    this.#undefinedWhen = undefinedWhen;
  }

  /** @throws MetricError */
  update(example: EvaluatedExample): void {
    this.#scores.update(example);
  }

  /** @throws MetricError `METRIC_BAD_INPUT` when there is no class `positive` of two. */
  compute(): MetricValue {
    const judged = this.#judged();
    const values = judged.map((one) => this.#score(ties(one)));
    if (this.#options.average === "none")
      return Object.fromEntries(
        judged.map(({ id }, at) => [this.#scores.names.name(id), values[at] ?? Number.NaN]),
      );
    if (this.#options.average !== "weighted") return meanOfDefined(values);
    return meanOfDefined(
      values,
      judged.map(({ isOfIt }) => isOfIt.filter(Boolean).length),
    );
  }

  reset(): void {
    this.#scores.reset();
  }

  state(): unknown {
    return this.#scores.state();
  }

  /** @throws MetricError */
  merge(state: unknown): void {
    this.#scores.merge(state);
  }

  warnings(): readonly string[] {
    const judged = this.#judged();
    if (judged.length === 0) return ["it saw no example"];
    const lost = judged.filter((one) => Number.isNaN(this.#score(ties(one))));
    if (lost.length === 0) return [];
    const leftOut =
      judged.length > 1 && this.#options.average !== "none" ? " and left out of the average" : "";
    const names = namedClasses(lost.map(({ id }) => this.#scores.names.name(id)));
    return [`it is undefined${leftOut} for ${names}: ${this.#undefinedWhen}`];
  }

  #judged(): ScoredClass[] {
    const all = this.#scores.perClass();
    const { average, positive } = this.#options;
    const { names } = this.#scores;
    if (average === "none" || all.length === 0) return all;
    if (!names.multiLabel && all.length === 2) {
      const id = names.positive(positive);
      return all.filter((one) => one.id === id);
    }
    if (average !== "micro") return all;
    return [
      {
        id: 0,
        scores: all.flatMap(({ scores }) => scores),
        isOfIt: all.flatMap(({ isOfIt }) => isOfIt),
      },
    ];
  }
}

/** Examples by score, highest first; those of one score are one tie, whatever order they came in. */
function ties({ scores, isOfIt }: ScoredClass): Tie[] {
  const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const all: { positives: number; negatives: number }[] = [];
  let last: number | undefined;
  for (const at of order) {
    if (scores[at] !== last) all.push({ positives: 0, negatives: 0 });
    last = scores[at];
    const tie = all.at(-1);
    if (tie !== undefined) tie[isOfIt[at] ? "positives" : "negatives"]++;
  }
  return all;
}
