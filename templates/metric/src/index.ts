import { defineMetric, type EvaluatedExample, type StreamingMetric } from "codex-ml/registry";
import { z } from "zod";

const options = z.strictObject({
  skip: z.int().min(0).default(4).describe("Tokens at the start of each sequence that do not count."),
});

/** What `state` gives and `merge` takes. Counts are whole numbers, so that parts add up exactly. */
const stateSchema = z.strictObject({ right: z.int().min(0), counted: z.int().min(0) });

/**
 * Share of tokens predicted right, in [0, 1], without the first `skip` of each sequence, where the model has seen too
 * little to go by. `NaN` when no token counts.
 */
class LateAccuracy implements StreamingMetric {
  /** What the evaluation has to compute. Other inputs are `tokenLosses` and `labelBytes`. */
  readonly reads = ["predictedIds"] as const;
  readonly #skip: number;
  #right = 0;
  #counted = 0;

  constructor(skip: number) {
    this.#skip = skip;
  }

  /** One sequence: `predictedIds[i]` was predicted where `labels[i]` is right. Padding is gone already. */
  update({ labels, predictedIds }: EvaluatedExample): void {
    if (predictedIds === undefined) throw new TypeError("my_component reads predictedIds, and got none");
    for (let i = this.#skip; i < labels.length; i++) {
      this.#counted++;
      if (predictedIds[i] === labels[i]) this.#right++;
    }
  }

  compute(): number {
    return this.#right / this.#counted;
  }

  reset(): void {
    this.#right = 0;
    this.#counted = 0;
  }

  state(): z.output<typeof stateSchema> {
    return { right: this.#right, counted: this.#counted };
  }

  merge(state: unknown): void {
    const { right, counted } = stateSchema.parse(state);
    this.#right += right;
    this.#counted += counted;
  }
}

export const build = defineMetric({
  description: "Share of tokens predicted right, without the first few of each sequence.",
  options,
  create: ({ skip }) => new LateAccuracy(skip),
});
