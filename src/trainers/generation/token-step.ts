import { type Call, TensorBuffer } from "../../runtime/index.ts";
import type { Weights } from "../weights.ts";
import type { DecoderGraphs } from "./decoder-graphs.ts";
import { newNames } from "./graphs.ts";
import { KeyValueMemory } from "./key-value-cache.ts";

/** One more token for each of several rows, with one memory of what they have behind them: bound once, run many times. */
export class TokenStep {
  /** The memory that it was bound to. */
  readonly past: KeyValueMemory;
  /** Of the token after each, (rows, V). */
  readonly logits: TensorBuffer<"float32">;
  /** Of the tokens that it was given: one place a row. */
  readonly keyValues: KeyValueMemory;
  readonly #inputIds: TensorBuffer<"int32">;
  readonly #positionIds: TensorBuffer<"int32">;
  readonly #attentionMask: TensorBuffer<"int32">;
  readonly #call: Call;

  constructor(graphs: DecoderGraphs, weights: Weights, rows: number, past: KeyValueMemory) {
    const integers = (columns: number) => new TensorBuffer({ dtype: "int32", shape: [rows, columns] });
    this.past = past;
    this.logits = new TensorBuffer({ dtype: "float32", shape: [rows, graphs.model.vocabSize] });
    this.keyValues = new KeyValueMemory(graphs.layers, rows, 1, newNames);
    this.#inputIds = integers(1);
    this.#positionIds = integers(1);
    this.#attentionMask = integers(past.places + 1);
    this.#call = graphs.step().bind(
      {
        input_ids: this.#inputIds,
        position_ids: this.#positionIds,
        attention_mask: this.#attentionMask,
        ...past.buffers,
        ...graphs.stepInputs(weights),
      },
      { logits: this.logits, ...this.keyValues.buffers },
    );
  }

  /** @param lengths tokens that each row has behind it: the place of its next one. */
  async run(ids: readonly number[], lengths: readonly number[]): Promise<void> {
    const width = this.past.places + 1;
    this.#inputIds.data.set(ids);
    this.#positionIds.data.set(lengths);
    for (const [row, length] of lengths.entries()) {
      const mask = this.#attentionMask.data.subarray(row * width, (row + 1) * width);
      mask.fill(0).fill(1, 0, length);
      mask[width - 1] = 1; // The token itself comes after all places of the past.
    }
    await this.#call.run();
  }
}
