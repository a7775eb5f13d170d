import { z } from "zod";
import { defineMetric, type EvaluatedExample, type StreamingMetric } from "./index.ts";
import { countSchema, readInput, readState } from "./inputs.ts";

const stateSchema = z.strictObject({ right: countSchema, tokens: countSchema });

/** Share of labels that the model thought most likely, in [0, 1], over all tokens of the split. `NaN` over none. */
class TokenAccuracy implements StreamingMetric {
  readonly reads = ["predictedIds"] as const;
  #right = 0;
  #tokens = 0;

  /** @throws MetricError `METRIC_MISSING_INPUT`. */
  update(example: EvaluatedExample): void {
    const predictedIds = readInput("token_accuracy", example, "predictedIds");
    for (const [i, label] of example.labels.entries()) if (predictedIds[i] === label) this.#right++;
    this.#tokens += example.labels.length;
  }

  compute(): number {
    return this.#right / this.#tokens;
  }

  reset(): void {
    this.#right = 0;
    this.#tokens = 0;
  }

  state(): { readonly right: number; readonly tokens: number } {
    return { right: this.#right, tokens: this.#tokens };
  }

  /** @throws MetricError `METRIC_BAD_STATE`. */
  merge(state: unknown): void {
    const { right, tokens } = readState("token_accuracy", stateSchema, state);
    this.#right += right;
    this.#tokens += tokens;
  }
}

export const tokenAccuracy = defineMetric({
  description: "Share of tokens whose most likely prediction is right.",
  options: z.strictObject({}),
  create: () => new TokenAccuracy(),
});
