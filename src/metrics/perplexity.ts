import { z } from "zod";
import { ExactSum, type ExactSumState } from "./exact-sum.ts";
import { defineMetric, type EvaluatedExample, type StreamingMetric } from "./index.ts";
import { countSchema, exactSumSchema, readInput, readState } from "./inputs.ts";

const stateSchema = z.strictObject({ losses: exactSumSchema, tokens: countSchema });

/**
 * exp(Σ token losses / Σ tokens), over all tokens of the split: not the mean of the perplexities of sequences or
 * batches, which would depend on how they were cut. The loss is the cross-entropy in nats. 1 is perfect; guessing among
 * V ids gives V. `NaN` over no tokens. Source: Jelinek, Mercer, Bahl and Baker (1977), "Perplexity: a measure of the
 * difficulty of speech recognition tasks".
 */
class Perplexity implements StreamingMetric {
  readonly reads = ["tokenLosses"] as const;
  readonly #losses = new ExactSum();
  #tokens = 0;

  /** @throws MetricError `METRIC_MISSING_INPUT`. */
  update(example: EvaluatedExample): void {
    for (const loss of readInput("perplexity", example, "tokenLosses")) this.#losses.add(loss);
    this.#tokens += example.labels.length;
  }

  compute(): number {
    return Math.exp(this.#losses.value / this.#tokens);
  }

  reset(): void {
    this.#losses.reset();
    this.#tokens = 0;
  }

  state(): { readonly losses: ExactSumState; readonly tokens: number } {
    return { losses: this.#losses.state(), tokens: this.#tokens };
  }

  /** @throws MetricError `METRIC_BAD_STATE`. */
  merge(state: unknown): void {
    const { losses, tokens } = readState("perplexity", stateSchema, state);
    this.#losses.merge(losses);
    this.#tokens += tokens;
  }
}

export const perplexity = defineMetric({
  description: "exp of the mean cross-entropy per token.",
  options: z.strictObject({}),
  create: () => new Perplexity(),
});
