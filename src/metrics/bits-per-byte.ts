import { z } from "zod";
import { ExactSum, type ExactSumState } from "./exact-sum.ts";
import { defineMetric, type EvaluatedExample, type StreamingMetric } from "./index.ts";
import { countSchema, exactSumSchema, readInput, readState } from "./inputs.ts";

const stateSchema = z.strictObject({ losses: exactSumSchema, bytes: countSchema });

/**
 * Σ token losses / ln 2 / Σ UTF-8 bytes of the labels: the bits that the model needs for a byte of text. Unlike
 * perplexity it does not depend on how long tokens are, and so compares models with different tokenizers. A special
 * token costs its loss and adds no byte. A tokenizer that loses something (capitals, unknown words) gains nothing by it: the bytes are
 * those of the text as it was. `NaN` over no bytes. Source: Gao et al. (2020), "The Pile", section 3.1.
 */
class BitsPerByte implements StreamingMetric {
  readonly reads = ["tokenLosses", "labelBytes"] as const;
  readonly #losses = new ExactSum();
  #bytes = 0;

  /** @throws MetricError `METRIC_MISSING_INPUT`. */
  update(example: EvaluatedExample): void {
    const labelBytes = readInput("bits_per_byte", example, "labelBytes");
    for (const loss of readInput("bits_per_byte", example, "tokenLosses")) this.#losses.add(loss);
    for (const bytes of labelBytes) this.#bytes += bytes;
  }

  compute(): number {
    return this.#bytes === 0 ? Number.NaN : this.#losses.value / Math.LN2 / this.#bytes;
  }

  reset(): void {
    this.#losses.reset();
    this.#bytes = 0;
  }

  state(): { readonly losses: ExactSumState; readonly bytes: number } {
    return { losses: this.#losses.state(), bytes: this.#bytes };
  }

  /** @throws MetricError `METRIC_BAD_STATE`. */
  merge(state: unknown): void {
    const { losses, bytes } = readState("bits_per_byte", stateSchema, state);
    this.#losses.merge(losses);
    this.#bytes += bytes;
  }
}

export const bitsPerByte = defineMetric({
  description: "Cross-entropy in bits per UTF-8 byte: comparable across tokenizers.",
  options: z.strictObject({}),
  create: () => new BitsPerByte(),
});
